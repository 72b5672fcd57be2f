"""Reads and validates the YAML files that users write. All mistakes are reported at once, each with its line.

    document = read_document(path)            # a Document; raises InvalidFile
    stack = validate(document, StackFile)     # the value of a model, a dataclass or a TypeAdapter; raises InvalidFile

YAML is read by the core schema of YAML 1.2: only `true` and `false` are booleans (`no` is text), `1:30` is text and not
90, dates are text. A value keeps the type that YAML gives it: `true`, `1.0` and `"7"` are no whole numbers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import yaml

from reports.shared.document import Document, Where
from reports.shared.errors import InvalidFile, Problem, UserError, did_you_mean
from reports.shared.home import expanded
from reports.shared.units import Duration, FormatVersion, Mistake, Percentage, duration_s, duration_text, fraction

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = [
    "Document",
    "Duration",
    "FormatVersion",
    "Mistake",
    "NotFound",
    "Percentage",
    "did_you_mean",
    "document_names",
    "duration_s",
    "duration_text",
    "find_document",
    "fraction",
    "parse_document",
    "read_document",
    "validate",
]

T = TypeVar("T")
_PATH_OR_NAME: Final = "give the path of a file, or one of"
_MAX_BYTES: Final = 1_000_000
_MAX_DEPTH: Final = 100
_MAX_NODES: Final = 50_000  # aliases of aliases can make a small file a huge tree


class NotFound(UserError):
    """An unknown name, or a path that is not a file. `what` and `remedy` are the parts of a `Problem`."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}\n    {remedy}")


def document_names(folder: Path) -> list[str]:
    """The names of the shipped documents of a folder: its `*.yaml` files, sorted, without the suffix."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def find_document(name_or_path: str | Path, folder: Path, *, kind: str, base: Path | None = None) -> Path:
    """The path of a document, given the name of a shipped one or the path of a file.

    A relative path is resolved in `base` (the folder of the file that contains it), then in the working directory.
    `kind` ("stack") is for the message. Raises `NotFound`.
    """
    text = str(name_or_path)
    names = document_names(folder)
    looks_like_path = isinstance(name_or_path, Path) or "/" in text or text.endswith((".yaml", ".yml"))
    if not looks_like_path:
        shipped = folder / f"{text}.yaml"
        if re.fullmatch(r"[\w.-]+", text) and shipped.is_file():
            return shipped
        raise NotFound(f'there is no {kind} "{text}"', did_you_mean(text, names, of=_PATH_OR_NAME))
    try:
        path = expanded(text)
    except UserError as error:
        raise NotFound(str(error), f"{_PATH_OR_NAME}: {', '.join(names)}") from None
    tried = [path] if path.is_absolute() or base is None else [base / path, path]
    for candidate in tried:
        if candidate.is_file():
            return candidate
    raise NotFound(f'there is no {kind} file "{text}"', f"{_PATH_OR_NAME}: {', '.join(names)}")


def read_document(path: Path | str) -> Document:
    """Read a YAML file. Raises `InvalidFile`: missing, unreadable, not UTF-8, syntax, duplicate keys, not a mapping."""
    name = str(path)
    try:
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise InvalidFile([Problem(name, 0, "there is no such file")]) from None
    except OSError as error:
        raise InvalidFile([Problem(name, 0, f"cannot be read: {error.strerror}")]) from None
    if len(raw) > _MAX_BYTES:
        raise InvalidFile([Problem(name, 0, f"is too large: {len(raw):,} bytes", f"the limit is {_MAX_BYTES:,} bytes")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidFile([Problem(name, line, "is not UTF-8 text", "save the file as UTF-8")]) from None
    return parse_document(text, name)


def parse_document(text: str, file: str) -> Document:
    """Like `read_document`, from text; `file` is the name in messages."""
    loader = None
    try:
        loader = _CoreLoader(text)
        root = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"has a character that YAML does not allow: U+{int(error.character):04X}"
        raise InvalidFile([Problem(file, line, what, "remove it, or write it as an escape in double quotes")]) from None
    except RecursionError:
        raise _nested_too_deeply(file, loader.line + 1 if loader is not None else 1) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        if error.context_mark is not None and mark is not None and error.context_mark.line != mark.line:
            what += f" (it starts on line {error.context_mark.line + 1})"
        hint = "indent with spaces" if "'\\t'" in what else "quote text that contains a colon, a # or a bracket"
        raise InvalidFile([Problem(file, mark.line + 1 if mark else 0, f"is not valid YAML: {what}", hint)]) from None
    if root is None:
        what = "is empty" if not text.strip() else "has nothing but comments"
        raise InvalidFile([Problem(file, 1, what, 'write "key: value" lines; the first one is brownout: 1')])
    converter = _Converter(file, loader)
    try:
        data = converter.value(root, ())
    except RecursionError:
        raise _nested_too_deeply(file, max(converter.lines.values(), default=1)) from None
    if not isinstance(data, dict):
        converter.problems.append(
            Problem(file, 1, "must be a mapping of keys to values", 'start with "key: value" lines')
        )
    if converter.problems:
        raise InvalidFile(converter.problems)
    return Document(file, data, converter.lines)


def _nested_too_deeply(file: str, line: int) -> InvalidFile:
    return InvalidFile([Problem(file, line, "is nested too deeply", "close the brackets, or use fewer levels")])


def validate(document: Document, schema: type[T] | TypeAdapter[T]) -> T:
    """Check a document against a pydantic model, a dataclass or a `TypeAdapter`; return the value it describes.

    Raises `InvalidFile` with all mistakes. Validators may raise `Mistake` to give a remedy.
    """
    # As JSON, because pydantic is strict about numbers and booleans there and still reads lists as tuples and mappings
    # as dataclasses.
    # Imported here because pydantic costs 15 MB and 0.1 s, and most processes validate no file.
    from pydantic import TypeAdapter, ValidationError

    from reports.shared.validation_errors import validation_problems

    adapter: TypeAdapter[T] = schema if isinstance(schema, TypeAdapter) else TypeAdapter(schema)
    try:
        return adapter.validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        raise InvalidFile(validation_problems(document, adapter, error)) from None


class _CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema: no `yes`/`no`, no sexagesimal numbers, no octal by a leading zero, no dates."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own interface


_SIGN_OR_DIGIT: Final = list("-+0123456789")
for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", _SIGN_OR_DIGIT),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", [".", *_SIGN_OR_DIGIT]),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", list("-+.")),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)
_SCALARS: Final = frozenset(f"tag:yaml.org,2002:{tag}" for tag in ("null", "bool", "int", "float", "str"))


class _Converter:
    """Converts nodes to values; records the line of each value, and all mistakes."""

    def __init__(self, file: str, loader: _CoreLoader) -> None:
        self.file = file
        self.lines: dict[Where, int] = {}
        self.problems: list[Problem] = []
        self._loader = loader
        self._inside: set[int] = set()
        self._count = 0

    def value(self, node: yaml.Node, path: Where) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._count += 1
        if self._count > _MAX_NODES:
            what = f"has more than {_MAX_NODES:,} values"
            raise InvalidFile([Problem(self.file, line, what, "use fewer aliases (*name)")])
        if len(path) > _MAX_DEPTH:
            raise _nested_too_deeply(self.file, line)
        if id(node) in self._inside:
            self._add_problem(line, "contains itself through an alias", "remove *name from the value of &name")
            return None
        if isinstance(node, yaml.MappingNode):
            self._inside.add(id(node))
            mapping = self._mapping(node, path)
            self._inside.discard(id(node))
            return mapping
        if isinstance(node, yaml.SequenceNode):
            self._inside.add(id(node))
            items = [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
            self._inside.discard(id(node))
            return items
        if node.tag not in _SCALARS:
            self._add_problem(line, f"has a tag that is not allowed here: {node.tag}", "write a plain value")
            return None
        try:
            value = self._loader.construct_object(node)
        except (ValueError, yaml.YAMLError):
            self._add_problem(line, f'"{node.value}" does not match its tag {node.tag}')
            return None
        return self._text(value, line) if isinstance(value, str) else value

    def _mapping(self, node: yaml.MappingNode, path: Where) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in _SCALARS:
                self._add_problem(line, "a key must be plain text")
                continue
            key = self._text(str(key_node.value), line)
            if key in mapping:
                first = self.lines[(*path, key)]
                self._add_problem(line, f'"{key}" is given twice (first on line {first})', "keep one of the two")
                continue
            self.lines[(*path, key)] = line
            mapping[key] = self.value(value_node, (*path, key))
        return mapping

    def _text(self, text: str, line: int) -> str:
        """The text; a problem where it has half of a surrogate pair, which no encoding can write."""
        if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
            self._add_problem(line, "has an escape that is no character", r"write the character itself, or \UXXXXXXXX")
            return ""
        return text

    def _add_problem(self, line: int, what: str, remedy: str = "") -> None:
        self.problems.append(Problem(self.file, line, what, remedy))
