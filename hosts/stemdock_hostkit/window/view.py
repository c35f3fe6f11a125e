"""The window itself."""

from __future__ import annotations

import tkinter as tk
from threading import Event, Thread
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from stemdock_hostkit.job.states import Fault
from stemdock_hostkit.window.system import open_path, use_full_resolution
from stemdock_hostkit.window.theme import apply_theme
from stemdock_hostkit.window.values import Ending
from stemdock_hostkit.window.words import remaining_text, state_text, stems_text

if TYPE_CHECKING:
    from stemdock_hostkit.job.states import JobProgress
    from stemdock_hostkit.window.theme import Colours
    from stemdock_hostkit.window.values import Subject, Task

_PERIOD: Final = 0.1
"""Seconds between two updates."""
_STAYS: Final = 6.0
"""Seconds for which a success is shown, and longer while the pointer is in the window."""
_WIDTH: Final = 400
"""Pixels of an ordinary screen."""


class View:
    """A window for one task: progress and Cancel, then what came of it."""

    def __init__(self, subject: Subject, colours: Colours) -> None:
        """Opens the window.

        Raises:
            tkinter.TclError: There is no display.
        """
        use_full_resolution()
        self._root = tk.Tk(className="Stemdock")
        self._root.withdraw()
        scale = apply_theme(self._root, colours)
        self._width = round(_WIDTH * scale)
        self._latest: JobProgress | None = None
        self._ending: Ending | None = None
        self._shown = 0.0
        self._root.title("Stemdock")
        self._root.resizable(width=False, height=False)
        gap = round(8 * scale)
        frame = ttk.Frame(self._root, padding=round(20 * scale))
        frame.grid()
        frame.columnconfigure(0, weight=1, minsize=self._width)
        self._title = self._label(frame, "", "Title.TLabel")
        self._title.grid(row=0, sticky="w")
        self._subtitle = self._label(frame, stems_text(subject.stems, subject.host), "Muted.TLabel")
        self._subtitle.grid(row=1, sticky="w", pady=(gap // 2, 0))
        self._bar = ttk.Progressbar(frame, style="Stemdock.Horizontal.TProgressbar", maximum=1.0)
        self._bar.grid(row=2, sticky="ew", pady=(2 * gap, gap))
        self._line = ttk.Frame(frame)
        self._line.columnconfigure(0, weight=1)
        self._line.grid(row=3, sticky="ew")
        self._state = self._label(self._line, "", "TLabel")
        self._state.grid(row=0, column=0, sticky="w")
        self._remaining = ttk.Label(self._line, style="Muted.TLabel")
        self._remaining.grid(row=0, column=1, sticky="e")
        buttons = ttk.Frame(frame)
        buttons.grid(row=4, sticky="e", pady=(2 * gap, 0))
        self._download = ttk.Button(buttons, text="Download", command=self._agree)
        self._open_log = ttk.Button(buttons, text="Open log")
        self._folder = ttk.Button(buttons, text="Open folder")
        self._offer_button = ttk.Button(buttons)
        self._button = ttk.Button(buttons, command=self._stop)
        self._button.grid(row=0, column=3)
        self._gap = gap
        self._subject = subject
        self._task = Thread()
        self._root.protocol("WM_DELETE_WINDOW", self._stop)
        self._root.bind("<Escape>", lambda _: self._stop())
        self._root.attributes("-topmost", True)

    def run(self, task: Task) -> Ending:
        """Does the task in a thread, and shows it until the user or the task ends it."""
        self._begin(task, "Starting")
        self._root.deiconify()
        self._root.mainloop()
        self._task.join()
        return self._ending or Ending(kind="failed")

    def _begin(self, task: Task, text: str) -> None:
        def work() -> None:
            try:
                self._ending = task(self._show, self._cancel, self._consent)
            except Exception as error:
                fault = Fault.of(error)
                self._ending = Ending(kind="failed", text=fault.message, next_step=fault.remedy)
                raise

        self._ending = self._latest = None
        self._cancel, self._consent = Event(), Event()
        self._title.configure(text=self._subject.title, style="Title.TLabel")
        self._subtitle.grid()
        self._bar["value"] = 0.0
        self._bar.grid()
        self._state["text"] = f"{text}\N{HORIZONTAL ELLIPSIS}"
        self._remaining.grid()
        self._line.grid_configure(pady=0)
        for button in (self._open_log, self._folder, self._offer_button):
            button.grid_remove()
        self._button["text"] = "Cancel"
        self._task = Thread(target=work, name="task")
        self._task.start()
        self._update()

    def _label(self, parent: ttk.Frame, text: str, style: str) -> ttk.Label:
        return ttk.Label(parent, text=text, style=style, wraplength=self._width, justify="left")

    def _show(self, progress: JobProgress) -> None:
        # Called in the thread of the task; tkinter is used in this one only.
        self._latest = progress

    def _update(self) -> None:
        if self._ending:
            self._end(self._ending)
            return
        if progress := self._latest:
            self._bar["value"] = progress.fraction
            is_cancelled = self._cancel.is_set()
            # The sentences about a download name its size and source.
            text = progress.text if progress.state in {"asking", "fetching"} else state_text(progress)
            self._state["text"] = "Cancelling\N{HORIZONTAL ELLIPSIS}" if is_cancelled else text
            self._remaining["text"] = "" if is_cancelled else remaining_text(progress.remaining)
            if progress.state == "asking" and not is_cancelled and not self._consent.is_set():
                self._put(self._download, 0)
            else:
                self._download.grid_remove()
        self._root.after(round(_PERIOD * 1000), self._update)

    def _put(self, button: ttk.Button, column: int) -> None:
        button.grid(row=0, column=column, padx=(0, self._gap))

    def _agree(self) -> None:
        self._consent.set()
        self._download.grid_remove()

    def _stop(self) -> None:
        if self._ending:
            self._root.destroy()
            return
        self._cancel.set()
        self._button.state(["disabled"])

    def _end(self, ending: Ending) -> None:
        if ending.kind == "cancelled":
            self._root.destroy()
            return
        self._bar.grid_remove()
        self._download.grid_remove()
        self._remaining.grid_remove()
        self._title.configure(
            text=ending.text, style="Failure.TLabel" if ending.kind == "failed" else "Title.TLabel"
        )
        self._subtitle.grid_remove()
        self._state["text"] = ending.next_step
        self._line.grid_configure(pady=(self._gap, 0))
        if folder := ending.folder:
            self._folder.configure(command=lambda: open_path(folder))
            self._put(self._folder, 1)
        if log := ending.log:
            self._open_log.configure(command=lambda: open_path(log))
            self._put(self._open_log, 0)
        if offer := ending.offer:
            self._offer_button.configure(
                text=offer.label, command=lambda: self._begin(offer.task, offer.text)
            )
            self._put(self._offer_button, 2)
        self._button.state(["!disabled"])
        self._button["text"] = "Close"
        if ending.kind == "done" and not ending.offer:
            self._close_later()

    def _close_later(self) -> None:
        left, top = self._root.winfo_rootx(), self._root.winfo_rooty()
        x, y = self._root.winfo_pointerxy()
        inside = left <= x < left + self._root.winfo_width() and top <= y < top + self._root.winfo_height()
        self._shown += 0 if inside else _PERIOD
        if self._shown >= _STAYS:
            self._root.destroy()
        else:
            self._root.after(round(_PERIOD * 1000), self._close_later)
