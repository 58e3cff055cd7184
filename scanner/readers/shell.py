"""Shell scripts as the commands they would run: a modest reading of POSIX shell and bash, for entry scripts.

Control flow, functions, `exec`, pipes and background jobs are understood. What isn't becomes an `Unknown` that says
where it stands, so that nothing after it is taken for certain. Grammar: POSIX.1-2024, Shell Command Language.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode, leading_comment

MAX_DEPTH = 40
"""How deep compound commands may nest before the rest of the script counts as unknown."""

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=")
FUNCTION_NAME = re.compile(r"[A-Za-z_][\w:.-]*")
OPERATORS = (";;&", ";;", ";&", "&&", "||", "|&", ";", "&", "|", "(", ")", "\n")
REDIRECTION = re.compile(r"\d*(?:&>>|&>|<<<|>>|>\||<>|>&|<&|>|<)")
HEREDOC = re.compile(r"\d*<<(?P<strip>-?)[ \t]*(?P<quote>['\"\\]?)(?P<word>\w+)['\"]?")
CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})


class Command(msgspec.Struct, frozen=True, array_like=True, tag="command"):
    """A simple command: its words after `exec`, quotes removed and references kept; a literal `$` is written `$$`.

    `background` commands end with `&`; `piped` ones feed or read another command.
    """

    words: tuple[str, ...]
    span: Span
    replaces_shell: bool = False
    background: bool = False
    piped: bool = False
    assignments: tuple[tuple[str, str], ...] = ()


class Choice(msgspec.Struct, frozen=True, array_like=True, tag="choice"):
    """`if`, or a chain of `&&` and `||`: one of the branches runs; `complete` when none can be skipped."""

    branches: tuple[tuple[Statement, ...], ...]
    complete: bool
    span: Span


class CaseBranch(msgspec.Struct, frozen=True, array_like=True):
    """`pattern | pattern) body ;;`."""

    patterns: tuple[str, ...]
    body: tuple[Statement, ...]


class Case(msgspec.Struct, frozen=True, array_like=True, tag="case"):
    """`case subject in ... esac`."""

    subject: str
    branches: tuple[CaseBranch, ...]
    span: Span


class Loop(msgspec.Struct, frozen=True, array_like=True, tag="loop"):
    """`while`, `until` or `for`; the condition's commands lead the body."""

    body: tuple[Statement, ...]
    span: Span


class Subshell(msgspec.Struct, frozen=True, array_like=True, tag="subshell"):
    """`( ... )`: an `exec` in it replaces only the child."""

    body: tuple[Statement, ...]
    span: Span


class Function(msgspec.Struct, frozen=True, array_like=True, tag="function"):
    """A definition; nothing runs until it is called."""

    name: str
    body: tuple[Statement, ...]
    span: Span


class Unknown(msgspec.Struct, frozen=True, array_like=True, tag="unknown"):
    """Something this reader doesn't understand."""

    text: str
    span: Span


Statement: TypeAlias = Command | Choice | Case | Loop | Subshell | Function | Unknown


class ShellFacts(msgspec.Struct, frozen=True, array_like=True, tag="shell"):
    """`interpreter` is the shebang's program name (`sh`, `bash`, `dash`), empty without a shebang."""

    interpreter: str
    comment: str
    body: tuple[Statement, ...]


def read(path: str, data: bytes) -> ShellFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a script. Raises ReadProblem for bytes that aren't text; strange syntax is Unknown, not an error."""
    text = decode(data)
    return ShellFacts(_interpreter(text), leading_comment(text), parse(text))


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a script or of a command line."""
    return _Parser(text).script()


def commands(statements: Iterable[Statement]) -> Iterator[Command]:
    """Every simple command in them, in the order they are written, whatever decides whether it runs."""
    for statement in statements:
        if isinstance(statement, Command):
            yield statement
        elif isinstance(statement, Choice):
            for branch in statement.branches:
                yield from commands(branch)
        elif isinstance(statement, Case):
            for case in statement.branches:
                yield from commands(case.body)
        elif not isinstance(statement, Unknown):
            yield from commands(statement.body)


def _interpreter(text: str) -> str:
    first = text.split("\n", 1)[0]
    if not first.startswith("#!"):
        return ""
    words = [w for w in first[2:].split() if not w.startswith("-")]
    names = [w.rsplit("/", 1)[-1] for w in words]
    return next((n for n in names if n != "env"), "")


class _Syntax(Exception):
    """The parser met something it doesn't understand."""


class _Token(msgspec.Struct, frozen=True):
    kind: str  # "word", an operator, or "end"
    text: str
    start: int
    end: int


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.heredocs: list[tuple[str, bool]] = []

    def tokens(self) -> Iterator[_Token]:
        while True:
            self._skip_blanks()
            if self.at >= len(self.text):
                yield _Token("end", "", self.at, self.at)
                return
            start = self.at
            if match := HEREDOC.match(self.text, start):
                self.heredocs.append((match["word"], bool(match["strip"])))
                self.at = match.end()
            elif self.text.startswith(("<(", ">("), start):
                self._balanced(start + 1)
                yield _Token("word", self.text[start : self.at], start, self.at)
            elif self.text.startswith("((", start):
                self._balanced(start)
                yield _Token("word", "((", start, self.at)
            elif match := REDIRECTION.match(self.text, start):
                self.at = match.end()
                self._skip_blanks()
                if self.text.startswith(("<(", ">("), self.at):
                    self._balanced(self.at + 1)
                elif self.at < len(self.text) and self.text[self.at] not in "\n;|":
                    self._word()
            elif operator := next((o for o in OPERATORS if self.text.startswith(o, start)), None):
                self.at += len(operator)
                yield _Token(operator, operator, start, self.at)
                if operator == "\n":
                    self._skip_heredocs()
            else:
                value = self._word()
                yield _Token("word", value, start, self.at)

    def _skip_blanks(self) -> None:
        text = self.text
        while self.at < len(text):
            if text[self.at] in " \t":
                self.at += 1
            elif text.startswith("\\\n", self.at):
                self.at += 2
            elif text[self.at] == "#":
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            else:
                return

    def _skip_heredocs(self) -> None:
        for word, strip in self.heredocs:
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = min(end + 1, len(self.text))
                if (line.lstrip("\t") if strip else line).strip() == word:
                    break
        self.heredocs.clear()

    def _word(self) -> str:
        parts: list[str] = []
        text = self.text
        while self.at < len(text):
            character = text[self.at]
            if character in " \t\n;&|()<>":
                break
            if character == "\\":
                parts.append("" if text[self.at + 1 : self.at + 2] == "\n" else text[self.at + 1 : self.at + 2])
                self.at += 2
            elif character == "'":
                parts.append(self._until("'", self.at + 1).replace("$", "$$"))
            elif character == '"':
                parts.append(self._double_quoted())
            elif character == "$" or character == "`":
                parts.append(self._reference())
            else:
                parts.append(character)
                self.at += 1
        if not parts and self.at < len(text) and text[self.at] in "<>()":
            raise _Syntax
        return "".join(parts)

    def _until(self, closing: str, start: int) -> str:
        end = self.text.find(closing, start)
        if end < 0:
            raise _Syntax
        self.at = end + 1
        return self.text[start:end]

    def _double_quoted(self) -> str:
        self.at += 1
        parts: list[str] = []
        while True:
            character = self.text[self.at : self.at + 1]
            if character == "":
                raise _Syntax
            if character == '"':
                self.at += 1
                return "".join(parts)
            if character == "\\":
                parts.append(self.text[self.at + 1 : self.at + 2])
                self.at += 2
            elif character in "$`":
                parts.append(self._reference())
            else:
                parts.append(character)
                self.at += 1

    def _reference(self) -> str:
        start = self.at
        if self.text[start] == "`":
            self._until("`", start + 1)
        elif self.text.startswith(("$(", "${"), start):
            self._balanced(start + 1)
        else:
            self.at += 1
        return self.text[start : self.at]

    def _balanced(self, start: int) -> None:
        opening = self.text[start]
        closing = ")" if opening == "(" else "}"
        depth = 0
        at = start
        while at < len(self.text):
            character = self.text[at]
            if character == "\\":
                at += 1
            elif character == "'" and opening == "(":
                end = self.text.find("'", at + 1)
                at = len(self.text) if end < 0 else end
            elif character == opening:
                depth += 1
            elif character == closing:
                depth -= 1
                if depth == 0:
                    self.at = at + 1
                    return
            at += 1
        raise _Syntax


class _Parser:
    """Recursive descent over the tokens; a syntax it doesn't know ends the script with an Unknown."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
        self.tokens: list[_Token] = []
        self.broken_at: int | None = None
        lexer = _Lexer(text)
        try:
            self.tokens.extend(lexer.tokens())
        except _Syntax:
            self.broken_at = self.tokens[-1].end if self.tokens else 0
            self.tokens.append(_Token("end", "", self.broken_at, self.broken_at))
        self.next = 0
        self.depth = 0

    def script(self) -> tuple[Statement, ...]:
        done: list[Statement] = []
        while True:
            self._skip_separators()
            start = self.peek.start
            if self.peek.kind == "end":
                if self.broken_at is not None:
                    done.append(self._unknown(self.broken_at))
                return tuple(done)
            try:
                done.extend(self._and_or())
            except _Syntax:
                return (*done, self._unknown(start))

    def _unknown(self, start: int) -> Unknown:
        line_end = self.text.find("\n", start)
        line_end = len(self.text) if line_end < 0 else line_end
        return Unknown(self.text[start:line_end][:80], self._span(start, len(self.text)))

    @property
    def peek(self) -> _Token:
        return self.tokens[self.next]

    def take(self) -> _Token:
        token = self.tokens[self.next]
        if token.kind != "end":
            self.next += 1
        return token

    def expect(self, word: str) -> _Token:
        token = self.take()
        if token.text != word:
            raise _Syntax
        return token

    def _span(self, start: int, end: int) -> Span:
        return Span(*self._position(start), *self._position(end))

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def _skip_separators(self) -> None:
        while self.peek.kind in ("\n", ";"):
            self.take()

    def _body(self, closers: frozenset[str]) -> list[Statement]:
        """Statements up to one of the closing words, which is left in place."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Syntax
        done: list[Statement] = []
        while True:
            self._skip_separators()
            token = self.peek
            if token.kind in ("end", ")", ";;", ";&", ";;&") or (token.kind == "word" and token.text in closers):
                self.depth -= 1
                return done
            if token.kind == "word" and token.text in CLOSERS and self._is_bare(token):
                raise _Syntax
            done.extend(self._and_or())

    def _and_or(self) -> list[Statement]:
        start = self.peek.start
        pieces: list[list[Statement]] = [self._pipeline()]
        operators: list[str] = []
        while self.peek.kind in ("&&", "||"):
            operators.append(self.take().kind)
            self._skip_separators()
            pieces.append(self._pipeline())
        background = self.peek.kind == "&"
        if background:
            self.take()
            pieces = [[_in_background(s) for s in piece] for piece in pieces]
        if "||" not in operators:
            return [statement for piece in pieces for statement in piece]
        span = self._span(start, self.tokens[self.next - 1].end)
        return [Choice(tuple(tuple(p) for p in pieces), False, span)]

    def _pipeline(self) -> list[Statement]:
        while self.peek.kind == "word" and self.peek.text in ("!", "time"):
            self.take()
        first = self._command()
        if self.peek.kind not in ("|", "|&"):
            return [first]
        commands = [first]
        while self.peek.kind in ("|", "|&"):
            self.take()
            self._skip_separators()
            commands.append(self._command())
        return [msgspec.structs.replace(c, piped=True) if isinstance(c, Command) else c for c in commands]

    def _command(self) -> Statement:
        token = self.peek
        if token.kind == "(":
            self.take()
            body = self._body(frozenset())
            end = self.expect(")").end
            return Subshell(tuple(body), self._span(token.start, end))
        if token.kind != "word":
            raise _Syntax
        reader = {
            "if": self._if,
            "case": self._case,
            "while": self._loop,
            "until": self._loop,
            "for": self._loop,
            "{": self._group,
            "function": self._function,
        }.get(token.text if self._is_bare(token) else "")
        if reader is not None:
            return reader()
        if self._looks_like_function():
            return self._function()
        return self._simple()

    def _is_bare(self, token: _Token) -> bool:
        return self.text[token.start : token.end] == token.text

    def _looks_like_function(self) -> bool:
        ahead = self.tokens[self.next : self.next + 3]
        return [t.kind for t in ahead] == ["word", "(", ")"] and not ahead[0].text.endswith("=")

    def _simple(self) -> Command:
        start = self.peek.start
        words: list[str] = []
        assignments: list[tuple[str, str]] = []
        while self.peek.kind == "word":
            token = self.take()
            if not words and ASSIGNMENT.match(token.text):
                name, _, value = token.text.partition("=")
                assignments.append((name, value))
            else:
                words.append(token.text)
            if token.text.endswith("=") and self.peek.kind == "(":  # an array
                self._skip_parentheses()
        if self.peek.kind == "(":
            raise _Syntax
        if words[:1] == ["export"]:
            assignments += [(n, v) for n, e, v in (w.partition("=") for w in words[1:]) if e]
        replaces = words[:1] == ["exec"] and len(words) > 1
        if replaces:
            words = _without_exec(words)
        return Command(
            tuple(words),
            self._span(start, self.tokens[self.next - 1].end),
            replaces,
            assignments=tuple(assignments),
        )

    def _skip_parentheses(self) -> None:
        while (token := self.take()).kind != ")":
            if token.kind == "end":
                raise _Syntax

    def _if(self) -> Statement:
        start = self.take().start
        branches: list[tuple[Statement, ...]] = []
        complete = False
        condition = self._body(frozenset({"then"}))
        self.expect("then")
        while True:
            branches.append((*condition, *self._body(frozenset({"elif", "else", "fi"}))))
            condition = []
            word = self.take()
            if word.text == "fi":
                return Choice(tuple(branches), complete, self._span(start, word.end))
            if word.text == "elif":
                condition = self._body(frozenset({"then"}))
                self.expect("then")
            elif word.text == "else":
                complete = True
            else:
                raise _Syntax

    def _case(self) -> Statement:
        start = self.take().start
        subject = self.take().text
        self._skip_separators()
        self.expect("in")
        branches: list[CaseBranch] = []
        while True:
            self._skip_separators()
            if self.peek.text == "esac":
                return Case(subject, tuple(branches), self._span(start, self.take().end))
            if self.peek.kind == "(":
                self.take()
            patterns = [self.take().text]
            while self.peek.kind == "|":
                self.take()
                patterns.append(self.take().text)
            self.expect(")")
            branches.append(CaseBranch(tuple(patterns), tuple(self._body(frozenset({"esac"})))))
            if self.peek.kind in (";;", ";&", ";;&"):
                self.take()
            elif self.peek.text != "esac":
                raise _Syntax

    def _loop(self) -> Statement:
        keyword = self.take()
        condition: list[Statement] = []
        if keyword.text == "for":
            while self.peek.text != "do":
                if self.peek.kind == "end":
                    raise _Syntax
                self.take()
        else:
            condition = self._body(frozenset({"do"}))
        self.expect("do")
        body = self._body(frozenset({"done"}))
        end = self.expect("done").end
        return Loop((*condition, *body), self._span(keyword.start, end))

    def _group(self) -> Statement:
        start = self.take().start
        body = self._body(frozenset({"}"}))
        end = self.expect("}").end
        return Choice((tuple(body),), True, self._span(start, end))

    def _function(self) -> Statement:
        start = self.peek.start
        if self.peek.text == "function":
            self.take()
        name = self.take().text
        if FUNCTION_NAME.fullmatch(name) is None:
            raise _Syntax
        if self.peek.kind == "(":
            self.take()
            self.expect(")")
        self._skip_separators()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Syntax
        body = self._command()
        self.depth -= 1
        statements = (
            body.branches[0] if isinstance(body, Choice) and body.complete and len(body.branches) == 1 else (body,)
        )
        return Function(name, statements, self._span(start, self.tokens[self.next - 1].end))


def _in_background(statement: Statement) -> Statement:
    return msgspec.structs.replace(statement, background=True) if isinstance(statement, Command) else statement


def _without_exec(words: list[str]) -> list[str]:
    """`exec -a NAME cmd` and `exec -c cmd` without what belongs to exec itself."""
    rest = words[1:]
    while rest and rest[0].startswith("-") and rest[0] != "--":
        rest = rest[2:] if rest[0] == "-a" else rest[1:]
    return rest[1:] if rest[:1] == ["--"] else rest
