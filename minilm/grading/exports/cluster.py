"""A Snakemake workflow that grades a class on many cores: of one machine, or of a cluster with SLURM.

    Snakefile            one job per submission (`minilm grade-one`), then one that collects the grades
    config.yaml          where the submissions are, where the grades go, how strong the walls must be
    profiles/local/      how to run it: all cores of this machine
    profiles/slurm/      the same on a cluster
    secret               the course secret

Snakemake is the queue, since the course wants none of its own: it starts, repeats and resumes. It is no dependency
either; install it into an environment of its own (`pip install snakemake snakemake-executor-plugin-slurm`).

What this file does not do: grade (`minilm grade-one`), or make tables (collect.py).
"""

import json
import sys
from pathlib import Path

from ...errors import UserError
from ..isolated import seeds


def export_cluster(out="cluster", say=print):
    """Write the workflow into the folder `out`; a config.yaml and a secret that are there already stay as they are."""
    from ...files import write_text  # it imports torch

    out = Path(out).expanduser()
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; name the folder to write, such as cluster")
    write_text(out / "Snakefile", SNAKEFILE)
    for name, text in PROFILES.items():
        write_text(out / "profiles" / name / "config.yaml", text)
    if not (out / "config.yaml").exists():
        write_text(out / "config.yaml", CONFIG.replace("@PYTHON@", json.dumps(sys.executable)))
    seeds.read(out / "secret")  # made here if it is missing: of many jobs at once each might make one
    say(f"wrote {out}: write into config.yaml where the submissions are, then: snakemake --profile profiles/local")


CONFIG = """\
# Relative paths begin in this folder; on a cluster every machine must see them under the same name.
submissions: submissions  # one folder or zip per learner
grades: grades  # all that is made goes here
secret: secret  # hidden inputs come from it: with another one, all grades are made again
isolation: strong  # or any, which marks each record that had to do with less
chapters: ""  # the chapters that count, as in 1,2 or 0-3; "": all
collect: ""  # more for the tables, such as: --deadline 2026-03-01T23:59+01:00 --late 24:0.9,48:0.8
python: @PYTHON@  # of the environment in which minilm is installed
"""

SNAKEFILE = """\
# A class graded by Snakemake 8 or 9. Made by minilm; what is yours to choose stands in config.yaml.
#
#     snakemake --profile profiles/local        on this machine
#     snakemake --profile profiles/slurm        on a cluster
#
# The same command again grades what is new, what has changed and what was not finished, and nothing else. A submission
# that could not be graded, through no fault of its own, makes Snakemake end with an error: it is listed in the tables
# as not finished, and never as a zero.
import json
import subprocess

from snakemake.exceptions import WorkflowError


configfile: "config.yaml"


MINILM = [config["python"], "-B", "-X", "utf8", "-m"]
SUBMISSIONS, GRADES, SECRET = config["submissions"], config["grades"], config["secret"]
CHAPTERS = str(config.get("chapters", ""))
ROSTER = f"{GRADES}/roster.json"
COLLECT = "{MINILM:q} minilm.grading.exports.collect {SUBMISSIONS:q} {GRADES:q} --secret={SECRET:q}"
COLLECT += " --chapters={CHAPTERS:q} {config[collect]}"

if workflow.is_main_process:  # the jobs read what it found
    words = [*MINILM, "minilm.grading.exports.roster", SUBMISSIONS, SECRET, ROSTER]
    asked = subprocess.run(words, stderr=subprocess.PIPE, text=True)
    if asked.returncode:
        raise WorkflowError(asked.stderr.strip())
with open(ROSTER, encoding="utf-8") as file:
    KNOWN = json.load(file)


rule all:
    input:
        f"{GRADES}/grades.csv",


# The key is a hash of all that the points depend on: when it changes, the record is made again.
rule grade_one:
    output:
        f"{GRADES}/submissions/{{plain}}.json",
    params:
        name=lambda wildcards: KNOWN[wildcards.plain]["name"],
        path=lambda wildcards: KNOWN[wildcards.plain]["path"],
        key=lambda wildcards: KNOWN[wildcards.plain]["key"],
        isolation=config["isolation"],
        chapters=CHAPTERS,
    wildcard_constraints:
        plain="[^/]+",
    threads: 1
    retries: 1  # beside those of grade-one itself
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "OMP_NUM_THREADS=1 {MINILM:q} minilm grade-one --submission={params.path:q}"
        " --name={params.name:q} --secret={SECRET:q} --isolation={params.isolation:q} --out={output:q}"
        " --chapters={params.chapters:q}"


localrules:
    all,
    collect,


rule collect:
    input:
        lambda wildcards: [f"{GRADES}/submissions/{plain}.json" for plain in KNOWN],
    output:
        f"{GRADES}/grades.csv",
    params:
        options=config["collect"],
        chapters=CHAPTERS,
    shell:
        COLLECT


onerror:
    shell(COLLECT)  # of what there is; the rest is listed as not finished
"""

PROFILES = {
    "local": """\
cores: all
keep-going: true
rerun-incomplete: true
rerun-triggers: [input, mtime, params]
quiet: [rules]
""",
    "slurm": """\
# Needs snakemake-executor-plugin-slurm, and nodes that let an ordinary user make namespaces (or isolation: any).
executor: slurm
jobs: 100  # of SLURM, at the same time
keep-going: true
rerun-incomplete: true
rerun-triggers: [input, mtime, params]
latency-wait: 60
# One submission per job. Snakemake's groups would save starts, but in a group one failure takes the others with it.
default-resources:
  # slurm_account: "yours"
  # slurm_partition: "yours"
  runtime: 30  # minutes
  mem_mb: 4000
""",
}
