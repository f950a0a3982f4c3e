"""Grading a class: from a folder of submissions to grades, without ever running a learner's code here.

Reading order: shelves, source, cells, intake, late, roll (what was handed in, and what lateness costs) | asked, record,
store (what is to be graded, and is known) | messages, totals, grades (what goes into a grade book) | findings, look,
markup, details, page (what a teacher looks at) | results, one, run (the commands).

How one submission passes through:

    SUBMISSIONS/alice  ->  intake.py takes the chapters' files out of a folder or a zip (shelves.py opens both),
                           makes UTF-8 of each (source.py), and a file out of a notebook (cells.py)
                       ->  elsewhere its answers are graded; one record per chapter comes of it
                       ->  late.py says which share of the points a late submission keeps
                       ->  grades.py makes grades.csv, JUnit XML and Gradescope's results.json out of the records,
                           page.py one HTML page about the class

Up to the commands, everything here is a function from data to data: the same submissions and records give the same
bytes. What a learner hands in can be anything at all. It costs that submission its points, with a sentence that says
why, and nobody else's.
"""
