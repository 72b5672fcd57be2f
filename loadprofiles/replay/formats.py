"""The registry of trace formats, and recognition of the format of a folder or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from loadprofiles.replay import azure, burstgpt, claude_code, mooncake, tracelab
from loadprofiles.replay.format import Format
from loadprofiles.replay.recorded import Recorded
from loadprofiles.replay.shaping import TraceOptions
from reports.shared.errors import InvalidFile, Problem, UserError, did_you_mean

__all__ = ["FORMATS", "Trace", "format_of", "open_trace", "trace_options"]

FORMATS: Final[dict[str, Format]] = {
    "claude-code": claude_code.FORMAT,
    "mooncake": mooncake.FORMAT,
    "azure": azure.FORMAT,
    "burstgpt": burstgpt.FORMAT,
    "tracelab": tracelab.FORMAT,
}
"""Every format, by its name in `--trace-format`."""

_HEAD_BYTES = 64 << 10
_SUFFIXES = {suffix for known in FORMATS.values() for suffix in known.suffixes}
_OPTIONS = tuple(TraceOptions.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace that was read: the name of its format, its sessions, and the options of its replay."""

    format: str
    recorded: Recorded
    options: TraceOptions

    def summary_lines(self) -> list[str]:
        """Lines for the user: the format, the number of sessions, and what was left out or skipped."""
        recorded = self.recorded
        lines = [f"{self.format}: {len(recorded.sessions):,} sessions", *recorded.notes]
        if recorded.skipped_count:
            first = recorded.skipped[0]
            where = f"{first.file}:{first.line}" if first.line else first.file
            lines.append(f"{recorded.skipped_count:,} mistakes were skipped, the first: {where}: {first.what}")
        return lines


def open_trace(path: Path | str, given: Mapping[str, object]) -> Trace:
    """Reads a folder of recordings, or one file. Raises `reports.shared.errors.UserError`, `InvalidFile` for bad lines.

    `given`: options of `TraceOptions` (missing ones have the format's defaults), and `format`, a name in `FORMATS`
    (None or missing: recognised by the content of the files).
    """
    options = dict(given)
    forced = options.pop("format", None)
    _refuse_unknown(options)
    name, paths = format_of(Path(path), None if forced is None else str(forced))
    resolved = trace_options(FORMATS[name], options)
    recorded = FORMATS[name].read(paths, skip_bad=resolved.skip_bad)
    if resolved.rate is None and recorded.starts_s is None:
        raise UserError(
            f"{path}: {name} does not record when sessions began: set rate to a number of sessions a second"
        )
    return Trace(name, recorded, resolved)


def trace_options(known: Format, given: Mapping[str, object]) -> TraceOptions:
    """The options of a replay, with the format's defaults. `rate: recorded` becomes None. Raises `UserError`."""
    _refuse_unknown(given)
    options = {**known.defaults, **given}
    if options.get("rate") == "recorded":
        options["rate"] = None
    try:
        return msgspec.convert(options, TraceOptions)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise UserError(f"trace options: {error}") from None


def format_of(path: Path, forced: str | None = None) -> tuple[str, list[Path]]:
    """The format of a trace, and its files in the order of their names.

    In a folder, files with a known suffix decide the format, and files with the format's suffixes are read. Raises
    `UserError` if the format is unknown, or if there are several.
    """
    if forced is not None and forced not in FORMATS:
        raise UserError(f"trace format {forced}: unknown; {did_you_mean(forced, list(FORMATS))}")
    single = path.is_file()
    try:
        inside = [path] if single else sorted(path.iterdir()) if path.is_dir() else []
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    files = [file for file in inside if single or (file.suffix.lower() in _SUFFIXES and file.is_file())]
    if not files:
        what = "contains no file" if path.is_dir() else "is neither a folder nor a file"
        if inside:
            what = f"contains no recordings (only {', '.join(file.name for file in inside[:5])})"
        remedy = f"choose a folder or a file in one of these formats:\n{_format_list()}"
        raise InvalidFile([Problem(str(path), 0, what, remedy)])
    if forced is not None:
        return forced, _of_format(files, FORMATS[forced], single)
    found: dict[str, Path] = {}
    for file in files:
        name = _recognised(_head(file))
        if name is not None:
            found.setdefault(name, file)
    if len(found) > 1:
        seen = ", ".join(f"{name} ({file.name})" for name, file in found.items())
        remedy = "choose one of the files, or select a format with --trace-format"
        raise InvalidFile([Problem(str(path), 0, f"contains traces of several formats: {seen}", remedy)])
    if not found:
        file, head = files[0], _head(files[0])
        begins = f"begins with {head[:80].decode('utf-8', 'replace')!r}" if head else "is empty"
        remedy = f"known formats:\n{_format_list()}\n    or select the format with --trace-format"
        raise InvalidFile([Problem(str(file), 1 if head else 0, f"has no known format: it {begins}", remedy)])
    (name,) = found
    return name, _of_format(files, FORMATS[name], single)


def _refuse_unknown(given: Mapping[str, object]) -> None:
    unknown = sorted(set(given) - set(_OPTIONS))
    if unknown:
        raise UserError(f"trace options: unknown {', '.join(unknown)}; options are dir, format, {', '.join(_OPTIONS)}")


def _of_format(files: list[Path], known: Format, single: bool) -> list[Path]:
    chosen = [file for file in files if single or file.suffix.lower() in known.suffixes]
    if not chosen:
        what = f"contains no file of {known.name} ({', '.join(known.suffixes)})"
        raise InvalidFile([Problem(str(files[0].parent), 0, what, "give the path of the file itself")])
    return chosen


def _recognised(head: bytes) -> str | None:
    lower = head.lower()
    return next((name for name, known in FORMATS.items() if all(sign in lower for sign in known.signatures)), None)


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD_BYTES)
    except OSError as error:
        raise InvalidFile([Problem(str(file), 0, f"cannot be read: {error.strerror}")]) from None


def _format_list() -> str:
    return "\n".join(f"      {name:<12} {known.description}" for name, known in FORMATS.items())
