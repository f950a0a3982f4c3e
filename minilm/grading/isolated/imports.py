"""What `import minilm` finds beside a learner's code: almost nothing, since minilm holds an answer to every exercise.

An exercise may declare modules as its support (a model to adapt, say): the judge sends their sources for tests of this
exercise alone, and tests/grading/test_support.py makes sure that they hold no answer to it.
"""

import importlib.abc
import importlib.util
import marshal
import sys
from importlib import import_module

KIT = ("minilm.grading",)


class Support(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Arguments: sources: name of a module -> as supplies.support gives it. folder: where the package would lie."""

    def __init__(self, sources, folder):
        self.sources, self.folder = sources, folder

    def find_spec(self, name, path=None, target=None):
        if name in self.sources:
            return importlib.util.spec_from_loader(name, self, origin=self.path(name))
        if name.startswith("minilm.") and not name.startswith(KIT):
            said = "while it is graded, an answer stands alone: it would be no work of yours with minilm's in it"
            raise ModuleNotFoundError(f"no {name} here: {said}", name=name)
        return None

    def path(self, name):
        path = "/".join([self.folder, *name.split(".")[1:]])
        return f"{path}/__init__.py" if self.is_package(name) else f"{path}.py"

    def is_package(self, name):
        return self.sources[name][0]

    def get_source(self, name):
        """None: it is code already."""

    def get_code(self, name):
        return marshal.loads(self.sources[name][1])

    def exec_module(self, module):
        module.__file__ = self.path(module.__name__)
        if self.is_package(module.__name__):
            module.__path__ = [module.__file__.rpartition("/")[0]]
        super().exec_module(module)


def install(sources, folder):
    """Allow these modules, and load them: there is time for that before a test asks for anything."""
    sys.meta_path.insert(0, Support(sources, folder))
    for name in sources:
        import_module(name)
