"""The demo's corpus: the docstrings of the running interpreter's standard library.

A document is one module, class, function, method or property that has a docstring of its own. It
is made at run time by importing the library and reading it: nothing is fetched, nothing is
committed, and the same interpreter gives the same documents in the same order every time.

What is left out, and why:

* modules that do something when imported, need a display, or are gone from Python 3.13
  (`EXCLUDED`), private modules, tests, and whatever this interpreter was built without;
* private names, and where a module has ``__all__``, what is not in it;
* a docstring that a method merely inherits (the base class has it already), that the interpreter
  gives to every type (``Return repr(self).``), or that says no more than the name or signature.

One object reached by several names is one document, under the name that comes first in this
order: ``builtins`` first; the fewest dots (`asyncio.run`, not `asyncio.runners.run`); the module
and name it was defined by; a name that its module lists in ``__all__``; the alphabet. What a
public class takes from a private base is documented under the public class
(`argparse.ArgumentParser.add_argument`).
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import re
import sys
import types
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rankside.demo.judgments import judged_queries

__all__ = ["BeirCounts", "Document", "standard_library_documents", "write_beir"]

#: Modules never imported, with all below them.
EXCLUDED = frozenset(
    [
        # They act on import: open a browser, print, take over the terminal's completion.
        *["antigravity", "this", "readline", "rlcompleter"],
        # They need Tk, which distributions package apart: the corpus would differ by machine.
        *["idlelib", "tkinter", "turtle", "turtledemo"],
        # Other names of what is here already: of `os` and `os.path`, of `re`.
        *["genericpath", "nt", "ntpath", "nturl2path", "posix", "posixpath"],
        *["sre_compile", "sre_constants", "sre_parse"],
        # Generated: one sentence for each of a hundred codecs; text kept as data.
        *["encodings", "pydoc_data"],
        # Gone since Python 3.12 and 3.13 (PEP 594, PEP 632 and their like).
        *["aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt"],
        *["distutils", "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib"],
        *["ossaudiodev", "pipes", "smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"],
    ]
)
#: Modules by whose real names nobody knows them.
_KNOWN_AS = {
    **dict.fromkeys(["genericpath", "ntpath", "posixpath"], "os.path"),
    **dict.fromkeys(["nt", "posix"], "os"),
}
_TESTS = frozenset(["__main__", "idle_test", "test", "tests"])
#: A word, a signature, or what `enum` and `collections.namedtuple` write by themselves.
_SAYS_NOTHING = re.compile(r"[\w.]+(\(.*\)( -> .+)?)?|Alias for field number \d+|An enumeration\.")
_CATCH_ALL = re.compile(r"\((/, )?\*args, \*\*\w+\)")
_RECEIVERS = frozenset(["self", "cls", "type"])
_CONTAINERS = frozenset([tuple, list, dict])
_LITERALS = frozenset([type(None), bool, int, float, str, bytes])


@dataclass(frozen=True, slots=True)
class Document:
    """One docstring: ``id`` its qualified name, ``title`` that with the signature if known."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class BeirCounts:
    """What `write_beir` wrote, and how many judgments name no document of this interpreter's."""

    documents: int
    queries: int
    judgments: int
    dropped_judgments: int


@dataclass(frozen=True, slots=True)
class _Name:
    """One name of one object, with the object's text.

    ``owner`` is the class it is a member of; ``listed`` tells whether the module lists it in
    ``__all__``, ``home`` whether it was defined by this name.
    """

    id: str
    value: object
    text: str
    owner: type | None = None
    listed: bool = False
    home: bool = True

    @property
    def target(self) -> object:
        """The object itself: of a bound, class or static method, the function within."""
        if isinstance(self.value, types.MethodType | classmethod | staticmethod):
            return self.value.__func__
        return self.value

    @property
    def rank(self) -> tuple[bool, int, bool, bool, str]:
        """The place among the names of one object: the smallest is the document's id."""
        builtin = self.id.startswith("builtins.")
        return (not builtin, self.id.count("."), not self.home, not self.listed, self.id)


class _Elided:
    """Stands for a default that is no literal."""

    def __repr__(self) -> str:
        return "..."


def standard_library_documents() -> Iterator[Document]:
    """Yield the documents, sorted by id; ids are unique and no text is empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated modules and names say so when touched
        # By id, so that what hides a module (`unittest.main`) takes its place.
        names = {name.id: name for name in _all_names(dict(_modules())) if name.text}
        documents = [Document(id_, _title(name), name.text) for id_, name in sorted(names.items())]
    yield from documents


def write_beir(folder: Path) -> BeirCounts:
    """Write ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv`` (the BEIR layout).

    Judgments of names that this interpreter lacks are dropped and counted.
    """
    documents = list(standard_library_documents())
    known = {document.id for document in documents}
    queries = judged_queries()
    kept = [(q.id, id_, grade) for q in queries for id_, grade in q.grades.items() if id_ in known]
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    corpus = ({"_id": d.id, "title": d.title, "text": d.text} for d in documents)
    _write_lines(folder / "corpus.jsonl", map(json.dumps, corpus))
    asked = ({"_id": query.id, "text": query.text} for query in queries)
    _write_lines(folder / "queries.jsonl", map(json.dumps, asked))
    table = [("query-id", "corpus-id", "score"), *kept]
    _write_lines(folder / "qrels" / "test.tsv", ("\t".join(map(str, row)) for row in table))
    judged = sum(len(query.grades) for query in queries)
    return BeirCounts(len(documents), len(queries), len(kept), judged - len(kept))


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _modules() -> Iterator[tuple[str, types.ModuleType]]:
    yield from _below(sys.stdlib_module_names)
    yield "os.path", os.path


def _below(names: Iterable[str], package: str = "") -> Iterator[tuple[str, types.ModuleType]]:
    """Import the public modules of a package, and theirs."""
    for name in sorted(names):
        full = f"{package}{name}"
        if name.startswith("_") or name in _TESTS or full in EXCLUDED:
            continue
        try:
            module = importlib.import_module(full)
        except ImportError:  # another system's, or left out when this interpreter was built
            continue
        yield full, module
        inner = pkgutil.iter_modules(getattr(module, "__path__", ()))
        yield from _below((info.name for info in inner), f"{full}.")


def _all_names(modules: Mapping[str, types.ModuleType]) -> Iterator[_Name]:
    for name, module in modules.items():
        yield _Name(name, module, _text(module))
    top = [found for name, module in modules.items() for found in _exports(name, module, modules)]
    classes = _first_names(found for found in top if isinstance(found.value, type))
    public = {found.value for found in classes}
    members = (found for owner in classes for found in _members(owner, public))
    yield from _first_names([*top, *members])


def _first_names(names: Iterable[_Name]) -> list[_Name]:
    """One name an object: the first in rank."""
    first: dict[int, _Name] = {}
    for name in sorted(names, key=lambda name: name.rank):
        first.setdefault(id(name.target), name)
    return list(first.values())


def _exports(
    name: str, module: types.ModuleType, modules: Mapping[str, types.ModuleType]
) -> Iterator[_Name]:
    """What a module offers: the names in its ``__all__``, or else those that no other defines."""
    listed = getattr(module, "__all__", None)
    every = vars(module) if listed is None else {key: getattr(module, key, None) for key in listed}
    for attribute, value in every.items():
        if attribute.startswith("_") or isinstance(value, types.ModuleType):
            continue
        source = getattr(value, "__module__", None) or name
        source = _KNOWN_AS.get(source, source)
        ours = name in (source, "builtins") or source.startswith(f"{name}.")
        text = _text(value)
        if (listed or ours or source not in modules) and (text or isinstance(value, type)):
            home = source.lstrip("_") == name and getattr(value, "__name__", "") == attribute
            yield _Name(f"{name}.{attribute}", value, text, None, listed is not None, home)


def _members(name: _Name, public: set[object]) -> Iterator[_Name]:
    """The documented attributes of a class, with what it takes from private bases."""
    cls = name.value
    if not isinstance(cls, type):
        return
    elsewhere = [base for base in cls.__mro__[1:] if base in public]
    covered = {above for base in elsewhere for above in base.__mro__}
    found: dict[str, tuple[object, str]] = {}
    for base in (base for base in cls.__mro__ if base is cls or base not in covered):
        for attribute, value in vars(base).items():
            first, text = found.get(attribute, (value, ""))
            found[attribute] = (first, text or _text(value))
    for attribute, (value, text) in found.items():
        inherited = (_text(vars(base)[attribute]) for base in covered if attribute in vars(base))
        if text and _is_public(attribute, value, cls) and text not in inherited:
            yield _Name(f"{name.id}.{attribute}", value, text, cls, name.listed, name.home)


def _is_public(attribute: str, value: object, cls: type) -> bool:
    """Whether an attribute counts: of the special methods, those written for this class."""
    if not attribute.startswith("_"):
        return True
    special = attribute.startswith("__") and attribute.endswith("__")
    return special and isinstance(value, types.FunctionType) and not hasattr(cls, "_fields")


def _text(value: object) -> str:
    """An object's own docstring, cleaned; empty where it has none worth a document."""
    text = getattr(value, "__doc__", None)
    if not isinstance(text, str) or text == type(value).__doc__:
        return ""
    text = inspect.cleandoc(text).strip()
    return "" if _SAYS_NOTHING.fullmatch(text) else text


def _title(name: _Name) -> str:
    """The qualified name, with the signature where there is one that says something."""
    shown = name.id.removeprefix("builtins.")
    if not callable(name.target):
        return shown
    try:
        signature = inspect.signature(name.target)
    except (TypeError, ValueError):  # written in C, and its signature is not known
        return shown
    except (AttributeError, NameError):  # its defaults exist only once curses is started
        return shown
    parameters = [_plain(parameter) for parameter in signature.parameters.values()]
    if name.owner and parameters and parameters[0].name in _RECEIVERS:
        parameters = parameters[1:]
    plain = str(inspect.Signature(parameters))
    return shown if _CATCH_ALL.fullmatch(plain) else f"{shown}{plain}"


def _plain(parameter: inspect.Parameter) -> inspect.Parameter:
    """A parameter without annotation, and with no default but a literal or an empty one.

    The ``repr`` of any other object may hold an address, or the whole environment; an absolute
    path is this machine's.
    """
    default = parameter.default
    path = isinstance(default, str) and len(default) > 1 and Path(default).is_absolute()
    plain = type(default) in _LITERALS or (type(default) in _CONTAINERS and not default)
    if default is not parameter.empty and (path or not plain):
        default = _Elided()
    return parameter.replace(annotation=parameter.empty, default=default)
