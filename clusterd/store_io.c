// SPDX-License-Identifier: Apache-2.0
#include "clusterd/store_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/store_internal.h"

#ifdef STORE_MUTANT_SYNC_OFF
#define SYNCHRONOUS "OFF"	// a mistake planted for the tests: they must notice
#else
#define SYNCHRONOUS "FULL"
#endif

enum {
	STORE_APPLICATION = 0x636c7364,		// "clsd", in the file's header
	STORE_FORMAT = 1,
	WAL_FRAMES_IDLE = 1024,			// written back when nothing waits
	WAL_FRAMES_MAX = 16384,			// written back even then
	WAL_BYTES_START = 4 * 1024 * 1024,
	ASIDE_MAX = 4,				// copies, each with its log
	STORE_PATH_SIZE = PATH_SIZE + 80,
};

static const char *const statement_text[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_SNAPSHOT] = "REPLACE INTO snapshot (one, idx, view, body) VALUES (1, ?1, ?2, ?3)",
	[SQL_ENTRY] = "INSERT INTO entry (idx, view, body) VALUES (?1, ?2, ?3)",
	[SQL_DROP_FROM] = "DELETE FROM entry WHERE idx >= ?1",
	[SQL_DROP_TO] = "DELETE FROM entry WHERE idx <= ?1",
	[SQL_PROMISE] = "UPDATE meta SET promised = ?1",
	[SQL_HINT] = "UPDATE meta SET hint = ?1",
	[SQL_LINE] = "INSERT INTO events (wall_ms, level, text) VALUES (?1, ?2, ?3)",
	[SQL_LINE_BOUND] = "DELETE FROM events WHERE id <= ?1",
	[SQL_LINE_READ] = ("SELECT id, wall_ms, level, text FROM events "
			   "WHERE id > ?1 AND wall_ms >= ?2 ORDER BY id DESC LIMIT ?3"),
};

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), store INTEGER NOT NULL,"
	" promised INTEGER NOT NULL, hint INTEGER NOT NULL);"
	"CREATE TABLE snapshot (one INTEGER PRIMARY KEY CHECK (one = 1), idx INTEGER NOT NULL,"
	" view INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE TABLE entry (idx INTEGER PRIMARY KEY, view INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, wall_ms INTEGER NOT NULL,"
	" level INTEGER NOT NULL, text TEXT NOT NULL);"
	"PRAGMA application_id = 1668051812;"	// STORE_APPLICATION
	"PRAGMA user_version = 1;";		// STORE_FORMAT

static bool sql_run(struct store *store, enum statement which)
{
	sqlite3_stmt *statement = store->statements[which];
	int rc = sqlite3_step(statement);

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		store_fail(store, "writing", sqlite3_errmsg(store->db));
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

static bool sql_run_1(struct store *store, enum statement which, uint64_t value)
{
	sqlite3_bind_int64(store->statements[which], 1, (sqlite3_int64)value);
	return sql_run(store, which);
}

static bool sql_run_body(struct store *store, enum statement which, const struct op *op)
{
	sqlite3_stmt *statement = store->statements[which];

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)op->index);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)op->view);
	sqlite3_bind_blob64(statement, 3, op->body, op->body_size, SQLITE_STATIC);
	return sql_run(store, which);
}

static int wal_written(void *data, sqlite3 *db, const char *name, int frames)
{
	struct store *store = data;

	(void)db;
	(void)name;
	store->wal_frames = frames;
	return SQLITE_OK;
}

static void db_close(struct store *store, bool write_back)
{
	for (int i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
	if (store->db && !write_back)
		sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(store->db);
	store->db = NULL;
	store->in_transaction = false;
	store->wal_frames = 0;
}

static void store_path(const struct store *store, const char *suffix, char *path)
{
	snprintf(path, STORE_PATH_SIZE, "%s/store.db%s", store->directory, suffix);
}

// A log whose blocks exist already is flushed without a change to the file system's own records.
static void wal_grow(struct store *store)
{
	static const char zeros[64 * 1024];
	sqlite3_file *wal = NULL;
	sqlite3_int64 size = 0;

	sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (!wal || !wal->pMethods || wal->pMethods->xFileSize(wal, &size) != SQLITE_OK)
		return;
	// Past the end of what recovery would read: zeros carry no valid checksum. A failure here
	// costs speed only.
	for (; size < WAL_BYTES_START; size += (sqlite3_int64)sizeof(zeros))
		if (wal->pMethods->xWrite(wal, zeros, sizeof(zeros), size) != SQLITE_OK)
			return;
}

static int db_connect(struct store *store, int flags)
{
	char path[STORE_PATH_SIZE];
	int persist = 1, rc;

	store_path(store, "", path);
	rc = sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			     store->vfs[0] ? store->vfs : NULL);
	if (rc != SQLITE_OK)
		return store->db ? sqlite3_extended_errcode(store->db) : SQLITE_NOMEM;
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	sqlite3_wal_hook(store->db, wal_written, store);
	// FULL in WAL mode flushes the log once at every commit. store_write_back() does the rest,
	// so no commit pays for it.
	rc = sqlite3_exec(store->db,
			  "PRAGMA locking_mode = EXCLUSIVE;"
			  "PRAGMA journal_mode = WAL;"
			  "PRAGMA synchronous = " SYNCHRONOUS ";"
			  "PRAGMA journal_size_limit = 67108864;"
			  "PRAGMA cache_size = -256;", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_wal_hook(store->db, wal_written, store);
	return SQLITE_OK;
}

static uint64_t random_id(void)
{
	uint64_t id = 0;

	while (id == 0)
		INVARIANT(getrandom(&id, sizeof(id), 0) == (ssize_t)sizeof(id));
	return id;
}

static int sql_number(struct store *store, const char *text, uint64_t *number)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW) {
			*number = (uint64_t)sqlite3_column_int64(statement, 0);
			rc = SQLITE_OK;
		} else if (rc == SQLITE_DONE) {
			rc = SQLITE_NOTFOUND;
		}
	}
	sqlite3_finalize(statement);
	return rc;
}

// It holds the passwords of fence devices, whoever made the folder. The log gets the same mode.
static void file_make_private(const struct store *store)
{
	char path[STORE_PATH_SIZE];
	int fd;

	store_path(store, "", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		close(fd);
}

static int db_create(struct store *store)
{
	char text[sizeof(schema) + 160];
	int rc;

	file_make_private(store);
	rc = db_connect(store, SQLITE_OPEN_CREATE);
	if (rc != SQLITE_OK)
		return rc;
	snprintf(text, sizeof(text), "%sINSERT INTO meta VALUES (1, %lld, 0, 0); COMMIT;", schema,
		 (long long)random_id());
	rc = sqlite3_exec(store->db, text, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc != SQLITE_OK)
		return rc;
	return fsync(store->directory_fd) < 0 ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

static int quick_check(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(statement);
		if (rc == SQLITE_ROW)
			rc = strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0 ?
			     SQLITE_OK : SQLITE_CORRUPT;
	}
	sqlite3_finalize(statement);
	return rc;
}

// Whether an opened file is a sound store of ours.
static int db_check(struct store *store)
{
	uint64_t application = 0, format = 0, ignored;
	int rc;

	rc = sql_number(store, "PRAGMA application_id", &application);
	if (rc == SQLITE_OK)
		rc = sql_number(store, "PRAGMA user_version", &format);
	if (rc != SQLITE_OK)
		return rc;
	if (application != STORE_APPLICATION || format != STORE_FORMAT)
		return SQLITE_FORMAT;
	rc = quick_check(store);
	if (rc == SQLITE_OK)
		rc = sql_number(store, "SELECT store FROM meta", &ignored);
	for (int i = 0; rc == SQLITE_OK && i < SQL_COUNT; i++)
		rc = sqlite3_prepare_v3(store->db, statement_text[i], -1, SQLITE_PREPARE_PERSISTENT,
					&store->statements[i], NULL);
	return rc;
}

// What a new file would not cure is the disk's or the administrator's trouble.
static bool file_is_bad(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_NOTFOUND:
	case SQLITE_ERROR:	// a table or a column is not there
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return true;
	}
	return rc == SQLITE_IOERR_READ || rc == SQLITE_IOERR_SHORT_READ ||
	       rc == SQLITE_IOERR_CORRUPTFS || rc == SQLITE_IOERR_DATA;
}

// Kept for a person to look at, but not without end. The names hold the time and so sort by age.
static void files_forget(struct store *store, const char *word)
{
	struct dirent **entries;
	char prefix[64];
	int count = scandir(store->directory, &entries, NULL, alphasort), kept = 0;

	snprintf(prefix, sizeof(prefix), "store.db.%s-", word);
	for (int i = count - 1; i >= 0; i--) {
		if (strncmp(entries[i]->d_name, prefix, strlen(prefix)) == 0 &&
		    ++kept > 2 * ASIDE_MAX)
			unlinkat(store->directory_fd, entries[i]->d_name, 0);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

// The file first: if this ends halfway, the log that is left belongs to nothing and is dropped; the
// file without its log would be an old copy under the same id.
static bool files_move_aside(struct store *store, const char *word)
{
	char from[STORE_PATH_SIZE], to[STORE_PATH_SIZE], suffix[64], stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < 100; i++) {
		if (i == 0)
			snprintf(suffix, sizeof(suffix), ".%s-%s", word, stamp);
		else
			snprintf(suffix, sizeof(suffix), ".%s-%s-%d", word, stamp, i);
		store_path(store, suffix, to);
		if (access(to, F_OK) < 0)
			break;
	}
	store_path(store, "", from);
	if (rename(from, to) < 0 && errno != ENOENT)
		return false;
	strcat(to, "-wal");
	store_path(store, "-wal", from);
	if (rename(from, to) < 0 && errno != ENOENT)
		return false;
	files_forget(store, word);
	return fsync(store->directory_fd) == 0;
}

static bool file_missing(struct store *store)
{
	char path[STORE_PATH_SIZE];
	struct stat status;

	store_path(store, "", path);
	if (stat(path, &status) == 0 && status.st_size > 0)
		return false;
	store_path(store, "-wal", path);
	unlink(path);
	return true;
}

// The log is kept as long as the file: without it this is an old copy, restored by somebody, whose
// promises are not known.
static bool log_missing(const struct store *store)
{
	char path[STORE_PATH_SIZE];

	store_path(store, "-wal", path);
	return access(path, F_OK) < 0 && errno == ENOENT;
}

static int db_open(struct store *store)
{
	int rc;

	if (file_missing(store))
		rc = db_create(store);
	else if (log_missing(store))
		rc = SQLITE_NOTFOUND;
	else
		rc = db_connect(store, 0);
	return rc == SQLITE_OK ? db_check(store) : rc;
}

static const char *db_why(const struct store *store, int rc)
{
	if (rc == SQLITE_FORMAT)
		return "another format or version";
	if (rc == SQLITE_NOTFOUND)
		return "a part of it is missing";
	return store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(rc);
}

static bool db_open_any(struct store *store)
{
	char why[160];
	int rc = db_open(store);

	if (rc != SQLITE_OK && file_is_bad(rc)) {
		snprintf(why, sizeof(why), "%s", db_why(store, rc));
		db_close(store, false);
		if (!files_move_aside(store, "corrupt")) {
			store_fail(store, "cannot move the damaged file aside", strerror(errno));
			return false;
		}
		store_log(store, LOG_LEVEL_ERROR,
			  "the store %s/store.db cannot be used (%s): moved aside, begun anew",
			  store->directory, why);
		rc = db_open(store);
	}
	if (rc != SQLITE_OK) {
		store_fail(store, "opening", db_why(store, rc));
		db_close(store, false);
		return false;
	}
	wal_grow(store);
	store->entry_last = UINT64_MAX;		// not known
	return true;
}

// Loading

static bool load_rows(struct store *store, enum event_type type, const char *text, bool *any)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		struct result *result;

		rc = sqlite3_step(statement);
		if (rc != SQLITE_ROW)
			break;
		result = result_new(RESULT_EVENT, sqlite3_column_blob(statement, 2),
				    (size_t)sqlite3_column_bytes(statement, 2));
		result->event.type = (uint8_t)type;
		result->event.index = (uint64_t)sqlite3_column_int64(statement, 0);
		result->event.view = (uint64_t)sqlite3_column_int64(statement, 1);
		result_queue(store, result);
		*any = true;
	}
	if (rc != SQLITE_DONE)
		store_fail(store, "reading", sqlite3_errmsg(store->db));
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE;
}

static void store_load(struct store *store)
{
	static const char snapshot[] = "SELECT idx, view, body FROM snapshot";
	static const char entries[] = "SELECT idx, view, body FROM entry ORDER BY idx";
	struct result *opened;
	bool copy = false, any = false;

	if (!load_rows(store, EVENT_STORE_SNAPSHOT, snapshot, &copy) ||
	    !load_rows(store, EVENT_STORE_ENTRY, entries, &any))
		return;
	opened = result_new(RESULT_EVENT, NULL, 0);
	opened->event.type = EVENT_STORE_OPENED;
	opened->event.incarnation = random_id();
	opened->event.flag = copy;
	if (sql_number(store, "SELECT store FROM meta", &opened->event.store) != SQLITE_OK ||
	    sql_number(store, "SELECT promised FROM meta", &opened->event.promised) != SQLITE_OK ||
	    sql_number(store, "SELECT hint FROM meta", &opened->event.index) != SQLITE_OK) {
		result_free(opened);
		store_fail(store, "reading", sqlite3_errmsg(store->db));
		return;
	}
	result_queue(store, opened);
}

// The thread's work

static bool op_write(struct store *store, const struct op *op)
{
	sqlite3_stmt *statement;
	sqlite3_int64 row;

	switch (op->type) {
	case OP_SNAPSHOT:
		// The hint was about what is replaced: kept, it would call entries committed that
		// are not.
		return sql_run_body(store, SQL_SNAPSHOT, op) &&
		       sql_run_1(store, SQL_DROP_TO, op->flag ? INT64_MAX : op->index) &&
		       (!op->flag || sql_run_1(store, SQL_HINT, op->index));
	case OP_ENTRY:
		if (op->index <= store->entry_last && !sql_run_1(store, SQL_DROP_FROM, op->index))
			return false;
		store->entry_last = op->index;
		return sql_run_body(store, SQL_ENTRY, op);
	case OP_TRUNCATE:
		return sql_run_1(store, SQL_DROP_FROM, op->index + 1);
	case OP_PROMISE:
		return sql_run_1(store, SQL_PROMISE, op->view);
	case OP_LINE:
		statement = store->statements[SQL_LINE];
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)op->wall_ms);
		sqlite3_bind_int(statement, 2, op->level);
		sqlite3_bind_text(statement, 3, (const char *)op->body, (int)op->body_size,
				  SQLITE_STATIC);
		if (!sql_run(store, SQL_LINE))
			return false;
		row = sqlite3_last_insert_rowid(store->db);
		return row <= STORE_LINES_MAX ||
		       sql_run_1(store, SQL_LINE_BOUND, (uint64_t)(row - STORE_LINES_MAX));
	case OP_SYNC:
	case OP_RESET:
	case OP_READ:
		return true;
	}
	return false;
}

// Commits what was written for the ops from `first` up to `end`, then answers the syncs among them.
static void ops_commit(struct store *store, const struct op *first, const struct op *end)
{
	if (store->in_transaction && !store->failed)
		sql_run(store, SQL_COMMIT);
	store->in_transaction = false;
	if (store->failed) {
		if (store->db)
			sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		return;
	}
	for (const struct op *op = first; op != end; op = op->next) {
		struct result *result;

		if (op->type != OP_SYNC)
			continue;
		result = result_new(RESULT_EVENT, NULL, 0);
		result->event.type = EVENT_STORE_SYNCED;
		result->event.token = op->token;
		result_queue(store, result);
	}
}

static void store_reset(struct store *store)
{
	db_close(store, true);
	if (!files_move_aside(store, "reset")) {
		store_fail(store, "cannot move the file aside", strerror(errno));
		return;
	}
	if (db_open_any(store))
		store_load(store);
}

static int lines_collect(struct store *store, const struct op *op, struct result *result)
{
	sqlite3_stmt *statement = store->statements[SQL_LINE_READ];
	size_t room, used = 0, size = 0;
	struct store_line *lines = NULL;
	char *texts = NULL;
	int rc;

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)op->index);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)op->wall_ms);
	sqlite3_bind_int64(statement, 3, op->max);
	// Two passes: how much, then the rows, in one allocation.
	while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
		size += (size_t)sqlite3_column_bytes(statement, 3) + 1;
		result->count++;
	}
	room = rc == SQLITE_DONE ? result->count : 0;
	sqlite3_reset(statement);
	if (room) {
		lines = calloc(1, room * sizeof(*lines) + size);
		INVARIANT(lines);
		texts = (char *)(lines + room);
	}
	for (size_t i = room; i > 0 && sqlite3_step(statement) == SQLITE_ROW; i--) {
		size_t length = (size_t)sqlite3_column_bytes(statement, 3);

		lines[i - 1].id = (uint64_t)sqlite3_column_int64(statement, 0);
		lines[i - 1].wall_ms = (uint64_t)sqlite3_column_int64(statement, 1);
		lines[i - 1].level = (uint8_t)sqlite3_column_int(statement, 2);
		lines[i - 1].text = texts + used;
		memcpy(texts + used, sqlite3_column_text(statement, 3), length);
		used += length + 1;
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	result->lines = lines;
	return rc == SQLITE_DONE ? 0 : -EIO;
}

static void lines_answer(struct store *store, const struct op *op)
{
	struct result *result = result_new(RESULT_LINES, NULL, 0);

	result->fn = op->fn;
	result->data = op->data;
	result->event.cookie = op->token;
	result->error = store->failed || !store->db ? -EIO : lines_collect(store, op, result);
	if (result->error)
		result->count = 0;
	result_queue(store, result);
}

static void op_run(struct store *store, const struct op *op)
{
	if (store->failed)
		return;
	if (!store->in_transaction && op->type < OP_SYNC)
		store->in_transaction = sql_run(store, SQL_BEGIN);
	op_write(store, op);
}

static void hint_write(struct store *store, uint64_t hint)
{
	if (store->failed)
		return;
	if (!store->in_transaction)
		store->in_transaction = sql_run(store, SQL_BEGIN);
	sql_run_1(store, SQL_HINT, hint);
}

void store_run(struct store *store, const struct op *ops, const struct later *later)
{
	const struct op *first = ops;

	for (const struct op *line = later->lines; line; line = line->next)
		op_run(store, line);
	for (const struct op *op = ops; op; op = op->next) {
		if (op->type == OP_RESET || op->type == OP_READ) {
			ops_commit(store, first, op);
			if (op->type == OP_READ)
				lines_answer(store, op);
			else if (!store->failed)
				store_reset(store);
			first = op;
		}
		op_run(store, op);
	}
	if (later->hint_given)
		hint_write(store, later->hint);
	ops_commit(store, first, NULL);
}

void store_write_back(struct store *store)
{
	bool idle;

	if (store->failed || store->wal_frames < WAL_FRAMES_IDLE)
		return;
	pthread_mutex_lock(&store->lock);
	idle = !store->urgent;
	pthread_mutex_unlock(&store->lock);
	if (!idle && store->wal_frames < WAL_FRAMES_MAX)
		return;
	if (sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) !=
	    SQLITE_OK)
		store_fail(store, "writing back", sqlite3_errmsg(store->db));
	store->wal_frames = 0;
}

void store_begin(struct store *store)
{
	if (db_open_any(store))
		store_load(store);
}

void store_end(struct store *store)
{
	db_close(store, !store->failed);
}
