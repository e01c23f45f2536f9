"""Task heads: which class a family has for a task, and the shapes of what it gives."""

from bertshape.tasks.heads import TASKS, Head, load_head, select_tasks
from bertshape.tasks.prediction import LABELLED, predict_tasks, stored_labels, task_findings, task_labels, with_head

__all__ = [
    "LABELLED",
    "TASKS",
    "Head",
    "load_head",
    "predict_tasks",
    "select_tasks",
    "stored_labels",
    "task_findings",
    "task_labels",
    "with_head",
]
