#!/usr/bin/env python3
"""Makes typed C functions of a room's SQL.

A room keeps its tables in sql/NNNN_name.sql and its statements in queries.sql. The schema of the rooms given (in
order, the last one is the room to generate) is built in memory with SQLite, every statement is prepared against
it, and ROOM_sql.h and ROOM_sql.c are written. What cannot be told is an error, never a guess.
docs/decisions/0002-store.md says what the files may contain.
"""

import argparse
import os
import re
import sqlite3
import sys

C_TYPES = {"INTEGER": "int64_t", "REAL": "double", "TEXT": "struct str", "BLOB": "struct str"}
DB_TYPES = {"INTEGER": "DB_INT", "REAL": "DB_REAL", "TEXT": "DB_TEXT", "BLOB": "DB_BLOB"}
POSTGRES_TYPES = {"INTEGER": "bigint", "REAL": "double precision", "TEXT": "text", "BLOB": "bytea"}
POSTGRES_COLUMN_TYPES = {"INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION", "TEXT": 'TEXT COLLATE "C"', "BLOB": "BYTEA"}
KINDS = ("exec", "one", "many", "each", "batch")
PARAMETERS_MAX = 64  # DB_PARAMETERS_MAX of kernel/db/db.h
COLUMNS_MAX = 64  # DB_COLUMNS_MAX
NAME_MAX = 60  # PostgreSQL cuts identifiers at 63 bytes

# PostgreSQL 15, appendix C: words that cannot name a column or table without quotes.
POSTGRES_RESERVED = set("""
all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
leading limit localtime localtimestamp not null offset on only or order placing primary references returning
select session_user some symmetric table then to trailing true union unique user using variadic when where window
with authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left
like natural notnull outer overlaps right similar tablesample verbose""".split())

# C17 (ISO/IEC 9899:2018, 6.4.1), and the parameter names of the generated functions.
C_RESERVED = set("""
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while""".split())


class SourceError(Exception):
    def __init__(self, path, line, message):
        super().__init__(f"{path}:{line}: {message}")


# --- tokens -------------------------------------------------------------------------------------------------

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<blob>[xX]'[^']*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
  | (?P<cast>::)
  | (?P<parameter>:[A-Za-z_][A-Za-z_0-9]*)
  | (?P<op>\|\||<>|<=|>=|!=|==|->>|->|.)
""", re.VERBOSE | re.DOTALL)


class Token:
    __slots__ = ("kind", "text", "line")

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line

    def is_word(self, *words):
        return self.kind == "word" and self.text.upper() in words

    @property
    def end_line(self):
        return self.line + self.text.count("\n")


def tokenize(text, path, first_line=1):
    tokens, line = [], first_line
    for match in TOKEN.finditer(text):
        kind, value = match.lastgroup, match.group()
        if kind == "op" and value in "'\"?$@":
            raise SourceError(path, line, "unfinished text" if value in "'\"" else
                              f"'{value}': parameters are written :name")
        tokens.append(Token(kind, value, line))
        line += value.count("\n")
    return tokens


def solid(tokens):
    """The tokens that carry meaning."""
    return [token for token in tokens if token.kind not in ("space", "comment")]


def join(tokens):
    return "".join(token.text for token in tokens)


def split_statements(tokens, path):
    """Lists of tokens, each without its final ';'. A trigger's inner semicolons do not end it."""
    statements, current = [], []
    for token in tokens:
        if token.kind == "op" and token.text == ";":
            if sqlite3.complete_statement(join(current) + ";"):
                statements.append(current)
                current = []
                continue
        current.append(token)
    if solid(current):
        raise SourceError(path, solid(current)[0].line, "statement without ';' at its end")
    return statements


# --- translation to PostgreSQL --------------------------------------------------------------------------------

def translate_expressions(tokens):
    """Casts and blob literals; the rest of our SQL is common to both."""
    previous = None
    for token in tokens:
        if token.kind in ("space", "comment"):
            continue
        if token.kind == "blob":
            token.text = "'\\x" + token.text[2:-1] + "'::bytea"
        elif token.kind == "word" and previous is not None and previous.is_word("AS"):
            if token.text.upper() in ("INTEGER", "REAL", "BLOB"):
                token.text = POSTGRES_TYPES[token.text.upper()]
        previous = token


def column_definitions(tokens, path):
    """Splits the tokens between a table's parentheses at its outer commas."""
    depth, current, parts = 0, [], []
    for token in tokens:
        if token.kind == "op" and token.text == "(":
            depth += 1
        elif token.kind == "op" and token.text == ")":
            depth -= 1
        if depth == 0 and token.kind == "op" and token.text == ",":
            parts.append((current, token.line))
            current = []
        else:
            current.append(token)
    if not solid(current):
        raise SourceError(path, tokens[0].line if tokens else 0, "a table ends with a comma")
    parts.append((current, max(token.line for token in solid(current))))
    return parts


def check_name(name, path, line, what):
    lowered = name.lower()
    if name != lowered or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise SourceError(path, line, f"{what} '{name}': names are lower case letters, digits and _")
    if len(name) > NAME_MAX:
        raise SourceError(path, line, f"{what} '{name}' is longer than {NAME_MAX} characters")
    if lowered in POSTGRES_RESERVED:
        raise SourceError(path, line, f"{what} '{name}' is a reserved word of PostgreSQL")
    if lowered in C_RESERVED:
        raise SourceError(path, line, f"{what} '{name}' is a keyword of C")


def refuse_words(words, path):
    for word in words:
        if word.is_word("DEFERRABLE", "DEFERRED"):
            raise SourceError(path, word.line, "deferred constraints would fail other people's items at the common commit")
        if word.is_word("NOCASE", "RTRIM"):
            raise SourceError(path, word.line, "collations of SQLite alone: store a folded column instead")
        if word.is_word("AUTOINCREMENT"):
            raise SourceError(path, word.line, "AUTOINCREMENT: INTEGER PRIMARY KEY is enough")


class Migration:
    """One numbered file: its SQLite text, its PostgreSQL text, and what its columns say they are."""

    def __init__(self, room, path):
        self.room, self.path = room, path
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", os.path.basename(path))
        if not match:
            raise SourceError(path, 1, "a migration is named NNNN_name.sql")
        self.number, self.name = int(match.group(1)), match.group(2)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.statements = []  # (SQL for SQLite, line), to run one by one
        self.sqlite, self.postgresql = "", ""
        self.tables = []  # names made here
        for dialect, part, line in self.segments(text):
            if dialect == "postgres":
                self.postgresql += part
                continue
            tokens = tokenize(part, path, line)
            self.sqlite += part
            for statement in split_statements(tokens, path):
                words = solid(statement)
                if not words:
                    raise SourceError(path, line, "';' without a statement")
                self.statements.append((join(statement), words[0].line))
                if dialect == "both":
                    self.postgresql += self.translate(statement, tokens)
        if not self.statements and not self.postgresql.strip():
            raise SourceError(path, 1, "an empty migration")

    def segments(self, text):
        """Cuts at lines '-- sqlite:', '-- postgres:' and '-- end'."""
        dialect, lines, start, result = "both", [], 1, []
        for number, line in enumerate(text.splitlines(keepends=True), 1):
            marker = line.strip()
            if marker in ("-- sqlite:", "-- postgres:", "-- end"):
                if (marker == "-- end") == (dialect == "both"):
                    raise SourceError(self.path, number, f"'{marker}' does not fit here")
                result.append((dialect, "".join(lines), start))
                dialect, lines, start = (marker[3:-1] if marker != "-- end" else "both"), [], number + 1
            else:
                lines.append(line)
        if dialect != "both":
            raise SourceError(self.path, start, f"'-- {dialect}:' without '-- end'")
        result.append((dialect, "".join(lines), start))
        return result

    def translate(self, statement, all_tokens):
        words = solid(statement)
        line = words[0].line
        verbs = ([word.text.upper() for word in words[:3]] + ["", ""])[:3]
        refuse_words(words, self.path)
        comments = []
        if verbs[0] == "CREATE" and verbs[1] == "TABLE":
            comments = self.translate_table(statement, words, all_tokens)
        elif verbs[0] == "ALTER" and verbs[1] == "TABLE":
            comments = self.translate_alter(statement, words, all_tokens)
        elif verbs[0] == "CREATE" and "INDEX" in verbs:
            name = words[verbs.index("INDEX") + 1:][:1]
            check_name(name[0].text if name else "", self.path, line, "index")
        elif verbs[0] not in ("INSERT", "UPDATE", "DELETE", "DROP", "WITH") and verbs[:2] != ["CREATE", "VIEW"]:
            raise SourceError(self.path, line, f"{' '.join(verbs[:2])}: write it between '-- sqlite:' and '-- end', "
                              "and its counterpart between '-- postgres:' and '-- end'")
        translate_expressions(statement)
        text = join(token for token in statement if token.kind != "comment").strip() + ";\n"
        text = re.sub(r"[ \t]+\n", "\n", text)
        text = re.sub(r"\n\n+", "\n", text)
        for table, column, comment in comments:
            quoted = comment.replace("'", "''")
            text += f"COMMENT ON COLUMN {table}.{column} IS '{quoted}';\n"
        return text

    def translate_table(self, statement, words, all_tokens):
        table = words[2].text
        check_name(table, self.path, words[2].line, "table")
        if len(words) < 4 or words[3].text != "(":
            raise SourceError(self.path, words[0].line, "CREATE TABLE name (column TYPE ..., ...) STRICT")
        start = statement.index(words[3])
        depth = 0
        for end in range(start, len(statement)):
            if statement[end].kind == "op":
                depth += {"(": 1, ")": -1}.get(statement[end].text, 0)
            if depth == 0:
                break
        tail = [token for token in solid(statement[end + 1:])]
        options = " ".join(token.text.upper() for token in tail)
        if "STRICT" not in options.split():
            raise SourceError(self.path, words[0].line, f"table {table} is not STRICT")
        without_rowid = "WITHOUT ROWID" in options
        if re.sub(r"STRICT|WITHOUT ROWID|,|\s", "", options):
            raise SourceError(self.path, words[0].line, f"unknown table options: {options}")
        for token in tail:
            token.text = ""
        self.tables.append((table, words[0].line))
        used, comments = set(), []
        for definition, end_line in column_definitions(statement[start + 1:end], self.path):
            parts = solid(definition)
            if not parts:
                raise SourceError(self.path, end_line, "an empty column")
            if parts[0].is_word("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"):
                continue
            comments.append(self.translate_column(table, definition, end_line, all_tokens, used, without_rowid))
        return comments

    def translate_alter(self, statement, words, all_tokens):
        table = words[2].text
        upper = [word.text.upper() for word in words]
        if "ADD" not in upper[3:4]:
            return []
        if upper[4:5] != ["COLUMN"] or len(words) < 7:
            raise SourceError(self.path, words[0].line, "write ADD COLUMN name TYPE")
        at = statement.index(words[5])
        return [self.translate_column(table, statement[at:], words[-1].end_line, all_tokens, set(), False)]

    def translate_column(self, table, definition, end_line, all_tokens, used, without_rowid):
        parts = solid(definition)
        name, line = parts[0].text, parts[0].line
        check_name(name, self.path, line, "column")
        kind = parts[1].text.upper() if len(parts) > 1 else ""
        if kind not in C_TYPES:
            raise SourceError(self.path, line, f"column {name}: the type is INTEGER, REAL, TEXT or BLOB")
        own_key = (kind == "INTEGER" and len(parts) > 3 and parts[2].is_word("PRIMARY") and parts[3].is_word("KEY")
                   and not without_rowid and not any(part.is_word("REFERENCES") for part in parts))
        parts[1].text = ("BIGINT GENERATED BY DEFAULT AS IDENTITY" if own_key else POSTGRES_COLUMN_TYPES[kind])
        comment = trailing_comment(all_tokens, line, end_line, used)
        if not comment:
            raise SourceError(self.path, line, f"column {table}.{name} needs a '-- comment' at the end of its line")
        return table, name, comment


def trailing_comment(tokens, first, last, used):
    """The text of a comment that stands after something else on one of the lines, and is nobody else's."""
    busy = {token.line for token in solid(tokens)}
    for token in tokens:
        if token.kind == "comment" and first <= token.line <= last and token.line in busy and token.line not in used:
            used.add(token.line)
            return token.text[2:].strip()
    return ""


# --- statements -----------------------------------------------------------------------------------------------

DIRECTIVE = re.compile(r"--\s*(name|column|parameter|row|dialect):\s*(.*?)\s*$")


class Statement:
    def __init__(self, path, line, name, kind):
        self.path, self.line, self.name, self.kind = path, line, name, kind
        self.doc, self.row = [], None
        self.written_columns, self.written_parameters = {}, {}
        self.dialect = "both"
        self.tokens = []
        self.parameters = []  # (name, type) in order of first appearance
        self.columns = []  # (name, type)
        self.sqlite = self.postgresql = None
        self.writes = False

    def fail(self, message, line=None):
        raise SourceError(self.path, line or self.line, f"{self.name}: {message}")


def parse_directive(statement, key, value, line):
    words = value.split()
    if key in ("column", "parameter"):
        if len(words) != 2 or words[1] not in C_TYPES:
            statement.fail(f"-- {key}: NAME INTEGER|REAL|TEXT|BLOB", line)
        target = statement.written_columns if key == "column" else statement.written_parameters
        if words[0] in target:
            statement.fail(f"{key} {words[0]} is written twice", line)
        target[words[0]] = words[1]
    elif key == "row":
        if len(words) != 1:
            statement.fail("-- row: NAME", line)
        check_name(words[0], statement.path, line, "row")
        statement.row = words[0]
    elif value != "postgres":
        statement.fail("-- dialect: postgres", line)
    else:
        statement.dialect = "postgres"


def parse_head(path, comments):
    """The comment lines right before a statement's first word: documentation and directives."""
    statement, before = None, []
    for token in comments:
        match = DIRECTIVE.match(token.text)
        if not match:
            before.append(token.text[2:].strip())
            continue
        key, value = match.groups()
        if key == "name":
            words = value.split()
            if statement or len(words) != 2 or words[1][0] != ":" or words[1][1:] not in KINDS:
                raise SourceError(path, token.line, "-- name: NAME :" + "|:".join(KINDS))
            check_name(words[0], path, token.line, "statement")
            statement = Statement(path, token.line, words[0], words[1][1:])
        elif not statement:
            raise SourceError(path, token.line, f"-- {key}: stands before -- name:")
        else:
            parse_directive(statement, key, value, token.line)
    if statement:
        statement.doc = before
    return statement


def parse_queries(path):
    with open(path, encoding="utf-8") as file:
        tokens = tokenize(file.read(), path)
    statements, line_end = [], 0
    for part in split_statements(tokens, path):
        comments = []
        previous_line = None
        for token in part:
            if token.kind == "space":
                continue
            if token.kind != "comment":
                break
            if token.line == line_end:
                continue  # a remark after the previous statement's ';'
            if token.text.startswith("/*"):
                raise SourceError(path, token.line, "comments before a statement are '--' lines")
            if previous_line is not None and token.line != previous_line + 1:
                comments = []  # a blank line: what stood above is about the file
            comments.append(token)
            previous_line = token.line
        words = solid(part)
        if not words:
            raise SourceError(path, line_end, "';' without a statement")
        statement = parse_head(path, comments)
        if not statement:
            raise SourceError(path, words[0].line, "a statement needs '-- name: NAME :KIND' above it")
        statement.tokens = part[part.index(words[0]):]
        line_end = statement.tokens[-1].end_line
        statements.append(statement)
    return merge_dialects(statements)


def merge_dialects(statements):
    by_name, result = {}, []
    for statement in statements:
        first = by_name.get(statement.name)
        if not first:
            if statement.dialect != "both":
                statement.fail("-- dialect: postgres comes second, after the statement for SQLite")
            by_name[statement.name] = statement
            result.append(statement)
        elif statement.dialect != "postgres" or first.postgresql is not None:
            statement.fail(f"name is taken (line {first.line})")
        elif statement.kind != first.kind:
            statement.fail(f"is :{first.kind} at line {first.line}")
        else:
            first.postgresql = statement
    return result


def compact(tokens, replace):
    """The statement on few bytes: comments dropped, white space single, parameters replaced."""
    out = []
    for token in tokens:
        if token.kind == "comment":
            token = Token("space", " ", token.line)
        if token.kind == "space":
            if out and out[-1] != " ":
                out.append(" ")
        elif token.kind == "parameter":
            out.append(replace(token.text[1:]))
        else:
            out.append(token.text)
    return "".join(out).strip()


class Schema:
    """The tables of all rooms so far, in SQLite's memory."""

    def __init__(self):
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("PRAGMA foreign_keys = ON")

    def apply(self, migration):
        for sql, line in migration.statements:
            try:
                self.connection.execute(sql)
            except sqlite3.Error as error:
                raise SourceError(migration.path, line, str(error)) from None
        for table, line in migration.tables:
            self.check_references(migration, table, line)

    def check_references(self, migration, table, line):
        """SQLite takes references to tables that are not there; PostgreSQL does not."""
        for row in self.connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall():
            columns = self.table_columns(row[2])
            if not columns:
                raise SourceError(migration.path, line, f"{table} refers to {row[2]}, which is made later or nowhere")
            if row[4] is not None and row[4] not in columns:
                raise SourceError(migration.path, line, f"{table} refers to {row[2]}.{row[4]}, which is not there")

    def table_columns(self, table):
        return {row[1]: row[2] for row in self.connection.execute(f'PRAGMA table_xinfo("{table}")')}

    def prepare(self, statement):
        """Prepares against the schema; fills parameters, columns and what it writes."""
        names = []
        for token in statement.tokens:
            if token.kind == "parameter" and token.text[1:] not in names:
                names.append(token.text[1:])
        tables, writes = set(), []

        def authorize(action, first, second, database, trigger):
            del second, trigger
            if action in (sqlite3.SQLITE_READ, sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
                if database != "temp" and not first.startswith("sqlite_"):
                    tables.add(first)
                    if action != sqlite3.SQLITE_READ:
                        writes.append(first)
            return sqlite3.SQLITE_OK

        numbers = {name: f"?{index}" for index, name in enumerate(names, 1)}
        sql = compact(statement.tokens, lambda name: numbers[name])
        self.connection.set_authorizer(authorize)
        try:
            self.connection.execute("EXPLAIN " + sql, [None] * len(names)).close()
        except sqlite3.Error as error:
            statement.fail(str(error))
        finally:
            self.connection.set_authorizer(None)
        statement.sqlite = sql
        statement.writes = bool(writes)
        statement.parameters = [(name, self.parameter_type(statement, name, tables)) for name in names]
        for name in statement.written_parameters:
            if name not in names:
                statement.fail(f"-- parameter: {name} is not in the statement")
        self.find_columns(statement)

    def parameter_type(self, statement, name, tables):
        check_c_name(statement, name)
        if name in statement.written_parameters:
            return statement.written_parameters[name]
        found = {}
        for table in sorted(tables):
            kind = self.table_columns(table).get(name)
            if kind in C_TYPES:
                found.setdefault(kind, table)
        if len(found) == 1:
            return next(iter(found))
        if found:
            statement.fail(f"parameter :{name} could be " + " or ".join(f"{kind} ({table}.{name})" for kind, table in
                           found.items()) + f"; write -- parameter: {name} TYPE")
        statement.fail(f"no table here has a column {name}; write -- parameter: {name} TYPE")
        return None

    def find_columns(self, statement):
        query = self.column_query(statement)
        if query is None:
            if statement.written_columns:
                statement.fail("-- column: in a statement that returns nothing")
            return
        try:
            self.connection.execute("CREATE TEMP VIEW sqlgen_view AS " + query)
            rows = self.connection.execute('PRAGMA temp.table_xinfo("sqlgen_view")').fetchall()
        except sqlite3.Error as error:
            statement.fail(str(error))
        finally:
            self.connection.execute("DROP VIEW IF EXISTS temp.sqlgen_view")
        for row in rows:
            name, kind = row[1], row[2]
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                statement.fail(f"column '{name}' needs a name of its own (AS name)")
            check_c_name(statement, name)
            written = statement.written_columns.pop(name, None)
            if kind in C_TYPES and written and written != kind:
                statement.fail(f"column {name} is {kind} in its table")
            kind = written or kind
            if kind not in C_TYPES:
                statement.fail(f"the type of column {name} cannot be told; write -- column: {name} TYPE")
            if name in dict(statement.columns):
                statement.fail(f"two columns are called {name}")
            statement.columns.append((name, kind))
        for name in statement.written_columns:
            statement.fail(f"-- column: {name} is not returned")

    @staticmethod
    def column_query(statement):
        """A SELECT that returns the same columns, without parameters; None if there are none."""
        null = lambda name: "NULL"  # noqa: E731
        if not statement.writes:
            return compact(statement.tokens, null)
        depth, target = 0, 0  # index of the word that names the table written to
        words = solid(statement.tokens)
        for index, word in enumerate(words):
            if word.kind == "op":
                depth += {"(": 1, ")": -1}.get(word.text, 0)
            if depth != 0:
                continue
            if not target and (word.is_word("INTO", "UPDATE") or word.is_word("FROM") and words[index - 1].is_word("DELETE")):
                target = index + 1
            if word.is_word("RETURNING"):
                at = statement.tokens.index(word)
                return f"SELECT {compact(statement.tokens[at + 1:], null)} FROM {words[target].text}"
        return None


def check_c_name(statement, name):
    if name in C_RESERVED:
        statement.fail(f"'{name}' is a keyword of C; call it otherwise")
    if name != name.lower():
        statement.fail(f"'{name}': names are lower case")


def finish_statement(statement, schema):
    schema.prepare(statement)
    likes = sum(token.is_word("LIKE") for token in statement.tokens)
    if likes > sum(token.is_word("ESCAPE") for token in statement.tokens):
        statement.fail("LIKE without ESCAPE: PostgreSQL takes \\ for an escape by itself, SQLite does not")
    if len(statement.parameters) > PARAMETERS_MAX:
        statement.fail(f"more than {PARAMETERS_MAX} parameters")
    if len(statement.columns) > COLUMNS_MAX:
        statement.fail(f"more than {COLUMNS_MAX} columns")
    returns = bool(statement.columns)
    if statement.kind in ("exec", "batch"):
        if returns:
            statement.fail(f"returns columns, which :{statement.kind} does not")
        if not statement.writes:
            statement.fail(f":{statement.kind} that writes nothing")
        if statement.kind == "batch" and not statement.parameters:
            statement.fail(":batch without parameters")
    elif not returns:
        statement.fail(f":{statement.kind} that returns no columns")
    if statement.row and not returns:
        statement.fail("-- row: in a statement that returns nothing")
    other = statement.postgresql
    source = statement if other is None else other
    types = dict(statement.parameters)
    numbers = {name: index for index, (name, _) in enumerate(statement.parameters, 1)}
    used = {token.text[1:] for token in source.tokens if token.kind == "parameter"}
    if used != set(numbers):
        difference = ", ".join(sorted(used ^ set(numbers)))
        source.fail(f"the two dialects differ in parameters: {difference}")
    tokens = [Token(token.kind, token.text, token.line) for token in source.tokens]
    translate_expressions(tokens)
    statement.postgresql = compact(tokens, lambda name: f"${numbers[name]}::{POSTGRES_TYPES[types[name]]}")
    if other is not None:
        statement.doc += other.doc


# --- output -----------------------------------------------------------------------------------------------------

def c_string(text, indent):
    lines = text.split("\n")
    out = []
    for index, line in enumerate(lines):
        if index == len(lines) - 1 and not line and len(lines) > 1:
            break
        escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("??", "?\\?")
        end = "\\n" if index < len(lines) - 1 else ""
        out.append(f'"{escaped}{end}"')
    return ("\n" + indent).join(out)


def row_name(statement):
    return statement.row or statement.name + "_row"


def signature(statement):
    arguments = ["struct db_tx *tx"]
    if statement.kind in ("one", "many"):
        arguments.append("struct arena *arena")
    if statement.parameters:
        arguments.append(f"const struct {statement.name}_args *args")
    if statement.kind == "exec":
        arguments.append("int64_t *changed")
    elif statement.kind == "batch":
        arguments += ["size_t count", "int64_t *changed"]
    elif statement.kind == "one":
        arguments.append(f"struct {row_name(statement)} *row")
    elif statement.kind == "many":
        arguments += [f"struct {row_name(statement)} **rows", "size_t *count"]
    else:
        arguments += [f"enum rc (*each)(void *context, const struct {row_name(statement)} *row)", "void *context"]
    arguments.append("struct err *err")
    text = f"enum rc {statement.name}({', '.join(arguments)})"
    if len(text) > 118:
        cut = text.rfind(", ", 0, 118) + 1
        text = text[:cut] + "\n" + " " * (len(f"enum rc {statement.name}(")) + text[cut + 1:]
    return text


KIND_DOC = {
    "exec": "*changed (may be NULL) gets the number of rows written.",
    "one": "NOT_FOUND if there is no row; texts live in the arena.",
    "many": "The rows are an array in the arena.",
    "each": "Calls `each` for every row; its texts live only during the call, in which no other statement may run.",
    "batch": "Runs once for each of `count` args; *changed (may be NULL) gets the rows written in all.",
}


def members(pairs):
    return "".join(f"\t{C_TYPES[kind]}{' ' if C_TYPES[kind][-1] != '*' else ''}{name};\n" for name, kind in pairs)


def write_header(room, short, statements):
    guard = f"CHANCERY_{short.upper()}_SQL_H"
    out = [f"/* Made from {room}/sql and {room}/queries.sql by tools/sqlgen.py. */\n#ifndef {guard}\n#define {guard}\n\n"
           '#include "kernel/db/db.h"\n\n'
           f"extern const struct db_migration {short}_migrations[];\nextern const size_t {short}_migration_count;\n"
           f"extern const struct db_statement *const {short}_statements[];\nextern const size_t {short}_statement_count;\n"]
    seen = {}
    for statement in statements:
        out.append("\n")
        if statement.parameters:
            out.append(f"struct {statement.name}_args {{\n{members(statement.parameters)}}};\n\n")
        if statement.columns:
            name = row_name(statement)
            if name not in seen:
                out.append(f"struct {name} {{\n{members(statement.columns)}}};\n\n")
                seen[name] = statement
            elif seen[name].columns != statement.columns:
                statement.fail(f"its columns differ from those of {seen[name].name}, with which it shares -- row: {name}")
        doc = [line.replace("*/", "* /") for line in statement.doc] + [KIND_DOC[statement.kind]]
        out.append("/* " + "\n * ".join(doc) + " */\n" + signature(statement) + ";\n")
    out.append("\n#endif\n")
    return "".join(out)


def write_columns(statement, what, pairs, struct):
    rows = "".join(f'\t{{ "{name}", {DB_TYPES[kind]}, offsetof(struct {struct}, {name}) }},\n' for name, kind in pairs)
    return f"static const struct db_column {statement.name}_{what}[] = {{\n{rows}}};\n"


def write_function(statement):
    name, args = statement.name, "args" if statement.parameters else "NULL"
    head = signature(statement) + "\n{\n"
    call = f"(tx, &{name}_statement, {args}, "
    if statement.kind == "exec":
        return head + f"\treturn db_exec{call}changed, err);\n}}\n"
    if statement.kind == "batch":
        return head + f"\treturn db_batch{call}count, changed, err);\n}}\n"
    if statement.kind == "one":
        return head + f"\treturn db_one{call}arena, row, err);\n}}\n"
    if statement.kind == "many":
        return (head + f"\tvoid *found = NULL;\n\tenum rc rc = db_many{call}arena, &found, count, err);\n"
                "\tif (rc == OK)\n\t\t*rows = found;\n\treturn rc;\n}\n")
    row = row_name(statement)
    return (f"struct {name}_each {{\n\tenum rc (*each)(void *context, const struct {row} *row);\n\tvoid *context;\n}};\n\n"
            f"static enum rc {name}_each_row(void *context, const void *row)\n{{\n"
            f"\tconst struct {name}_each *call = context;\n\treturn call->each(call->context, row);\n}}\n\n" + head +
            f"\tstruct {name}_each call = {{ each, context }};\n\tstruct {row} row;\n"
            f"\treturn db_each{call}&row, {name}_each_row, &call, err);\n}}\n")


def write_source(room, short, migrations, statements):
    out = [f"/* Made from {room}/sql and {room}/queries.sql by tools/sqlgen.py. */\n#include \"{short}_sql.h\"\n\n"
           f"const struct db_migration {short}_migrations[] = {{\n"]
    for migration in migrations:
        out.append(f"\t{{ \"{room}\", {migration.number}, \"{migration.name}\",\n\t  {c_string(migration.sqlite, chr(9) + '  ')},\n"
                   f"\t  {c_string(migration.postgresql, chr(9) + '  ')} }},\n")
    if not migrations:
        out.append("\t{ NULL, 0, NULL, NULL, NULL },\n")
    out.append(f"}};\nconst size_t {short}_migration_count = {len(migrations)};\n")
    for statement in statements:
        name = statement.name
        out.append("\n")
        if statement.parameters:
            out.append(write_columns(statement, "parameters", statement.parameters, name + "_args"))
        if statement.columns:
            out.append(write_columns(statement, "columns", statement.columns, row_name(statement)))
        has, gives = statement.parameters, statement.columns
        out.append(f"static _Atomic int {name}_slot;\n"
                   f"static const struct db_statement {name}_statement = {{\n\t.name = \"{name}\",\n"
                   f"\t.sqlite = {c_string(statement.sqlite, chr(9) + '          ')},\n"
                   f"\t.postgresql = {c_string(statement.postgresql, chr(9) + '              ')},\n"
                   f"\t.parameters = {name + '_parameters' if has else 'NULL'},\n\t.parameter_count = {len(has)},\n"
                   f"\t.args_size = {'sizeof(struct ' + name + '_args)' if has else '0'},\n"
                   f"\t.columns = {name + '_columns' if gives else 'NULL'},\n\t.column_count = {len(gives)},\n"
                   f"\t.row_size = {'sizeof(struct ' + row_name(statement) + ')' if gives else '0'},\n"
                   f"\t.kind = DB_KIND_{statement.kind.upper()},\n\t.writes = {'true' if statement.writes else 'false'},\n"
                   f"\t.slot = &{name}_slot,\n}};\n\n" + write_function(statement))
    names = "".join(f"\t&{statement.name}_statement,\n" for statement in statements) or "\tNULL,\n"
    out.append(f"\nconst struct db_statement *const {short}_statements[] = {{\n{names}}};\n"
               f"const size_t {short}_statement_count = {len(statements)};\n")
    return "".join(out)


def write_registry(rooms):
    out = ["/* All rooms that keep something in the store, in order. Made by tools/sqlgen.py. */\n"
           '#include "kernel/db/db.h"\n\n']
    for _, short in rooms:
        out.append(f"extern const struct db_migration {short}_migrations[];\nextern const size_t {short}_migration_count;\n"
                   f"extern const struct db_statement *const {short}_statements[];\n"
                   f"extern const size_t {short}_statement_count;\n")
    out.append("\nconst struct db_room db_rooms[] = {\n")
    for room, short in rooms:
        out.append(f"\t{{ \"{room}\", {short}_migrations, &{short}_migration_count, {short}_statements, "
                   f"&{short}_statement_count }},\n")
    out.append(f"}};\nconst size_t db_room_count = {len(rooms)};\n")
    return "".join(out)


# --- rooms and files ------------------------------------------------------------------------------------------

def migration_paths(root, room):
    folder = os.path.join(root, room, "sql")
    if not os.path.isdir(folder):
        return []
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".sql")]


def read_migrations(root, room, display):
    migrations = [Migration(room, display(path)) for path in migration_paths(root, room)]
    for number, migration in enumerate(migrations, 1):
        if migration.number != number:
            raise SourceError(migration.path, 1, f"migrations are numbered without gaps: {number:04d} is missing")
    return migrations


def read_statements(root, room, schema):
    path = os.path.join(root, room, "queries.sql")
    if not os.path.exists(path):
        return []
    statements = parse_queries(path)
    for statement in statements:
        finish_statement(statement, schema)
    return statements


def generate(root, rooms, output, depfile=None):
    """Writes the last room's pair of files."""
    schema, migrations = Schema(), []
    for room in rooms:
        migrations = read_migrations(root, room, lambda path: path)
        for migration in migrations:
            schema.apply(migration)
    room = rooms[-1]
    short = os.path.basename(room)
    statements = read_statements(root, room, schema)
    header, source = write_header(room, short, statements), write_source(room, short, migrations, statements)
    outputs = [os.path.join(output, f"{short}_sql.h"), os.path.join(output, f"{short}_sql.c")]
    for path, text in zip(outputs, (header, source)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    if depfile:
        write_depfile(depfile, outputs, root, rooms)


def write_depfile(path, outputs, root, rooms):
    # The folders stand in it too: a new migration changes its folder's time.
    needed = [os.path.abspath(__file__)]
    for room in rooms:
        folder = os.path.join(root, room, "sql")
        if os.path.isdir(folder):
            needed.append(folder)
        needed += migration_paths(root, room)
    queries = os.path.join(root, rooms[-1], "queries.sql")
    # Until it is there, its folder stands for it.
    needed.append(queries if os.path.exists(queries) else os.path.join(root, rooms[-1]))
    escape = lambda name: name.replace(" ", "\\ ")  # noqa: E731
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{' '.join(map(escape, outputs))}: {' '.join(map(escape, needed))}\n")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=".", help="folder the rooms stand in")
    parser.add_argument("--output", default=".", help="folder to write to")
    parser.add_argument("--depfile")
    parser.add_argument("--registry", action="store_true", help="write sql_rooms.c, which lists the rooms given")
    parser.add_argument("rooms", nargs="+", help="core/people ...: in order, the last one is generated")
    options = parser.parse_args(argv)
    try:
        if options.registry:
            rooms = [(room, os.path.basename(room)) for room in options.rooms]
            with open(os.path.join(options.output, "sql_rooms.c"), "w", encoding="utf-8") as file:
                file.write(write_registry(rooms))
        else:
            generate(options.root, options.rooms, options.output, options.depfile)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
