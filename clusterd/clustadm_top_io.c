// SPDX-License-Identifier: Apache-2.0
// `top`: what nodes and VMs use now. On a terminal a screen that is renewed; elsewhere text.
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/clustadm_io.h"

enum { TOP_MS = 2000, ROWS_DEFAULT = 24 };

enum top_key { KEY_CPU, KEY_MEMORY, KEY_DISK, KEY_NET, KEY_NAME, KEY_COUNT };

static const char *const key_words[KEY_COUNT] = { "cpu", "mem", "disk", "net", "name" };

struct top_row {
	const json_t *row;
	long long weight; // -1: not known, behind the others
};

struct screen {
	struct termios saved;
	bool keys; // standard input is a terminal, in our mode
	int rows, columns;
};

static long long measured(const json_t *row, const char *name)
{
	const json_t *value = json_object_get(json_object_get(row, "measured"), name);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static long long both(long long a, long long b)
{
	return a < 0 ? b : b < 0 ? a : a + b;
}

static long long node_weight(const json_t *row, enum top_key key)
{
	switch (key) {
	case KEY_CPU:
		return measured(row, "cpu_permille");
	case KEY_MEMORY:
		return measured(row, "memory_permille");
	case KEY_DISK:
		return measured(row, "io_pressure_permille");
	case KEY_NET:
	case KEY_NAME:
	case KEY_COUNT:
		break;
	}
	return 0;
}

static long long vm_weight(const json_t *row, enum top_key key)
{
	switch (key) {
	case KEY_CPU:
		return measured(row, "cpu_permille");
	case KEY_MEMORY:
		return measured(row, "memory_mib");
	case KEY_DISK:
		return both(measured(row, "read_kib_s"), measured(row, "write_kib_s"));
	case KEY_NET:
		return both(measured(row, "received_kib_s"), measured(row, "sent_kib_s"));
	case KEY_NAME:
	case KEY_COUNT:
		break;
	}
	return 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return strcmp(json_word(x->row, "name"), json_word(y->row, "name"));
}

static struct top_row *rows_sorted(const json_t *rows, enum top_key key,
				   long long (*weight)(const json_t *row, enum top_key key),
				   size_t *count)
{
	struct top_row *sorted;
	const json_t *row;
	size_t i;

	*count = json_array_size(rows);
	sorted = calloc(*count + 1, sizeof(*sorted));
	if (!sorted) {
		*count = 0;
		return NULL;
	}
	json_array_foreach(rows, i, row) sorted[i] =
		(struct top_row){ .row = row, .weight = weight(row, key) };
	qsort(sorted, *count, sizeof(*sorted), by_weight);
	return sorted;
}

// "43.2 %" of permille.
static void add_percent(struct table *table, long long permille)
{
	if (permille < 0)
		table_add(table, "-");
	else
		table_addf(table, "%lld.%lld %%", permille / 10, permille % 10);
}

const char *amount_text(long long kib, const char *what, char *text, size_t size)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	long long tenths = kib * 10;
	size_t unit = 0;

	for (; tenths >= 10240 && unit < 3; unit++)
		tenths /= 1024;
	if (unit == 0 || tenths >= 1000)
		snprintf(text, size, "%lld %s%s", tenths / 10, units[unit], what);
	else
		snprintf(text, size, "%lld.%lld %s%s", tenths / 10, tenths % 10, units[unit], what);
	return text;
}

static void add_amount(struct table *table, long long kib, const char *what)
{
	char text[32];

	table_add(table, kib < 0 ? "-" : amount_text(kib, what, text, sizeof(text)));
}

static void nodes_fill(struct table *table, const json_t *nodes, enum top_key key)
{
	static const char *const heads[] = { "NODE",	  "STATE",    "CPU", "CPU-PRESS", "MEMORY",
					     "MEM-PRESS", "IO-PRESS", "VMS", "NOTE",	  NULL };
	size_t count;
	struct top_row *rows = rows_sorted(nodes, key, node_weight, &count);

	table_init(table, heads);
	for (size_t i = 0; i < count; i++) {
		const json_t *row = rows[i].row;
		const json_t *of = json_object_get(row, "measured");

		table_add(table, json_word(row, "name"));
		table_add(table, json_word(row, "state"));
		add_percent(table, measured(row, "cpu_permille"));
		add_percent(table, measured(row, "cpu_pressure_permille"));
		add_percent(table, measured(row, "memory_permille"));
		add_percent(table, measured(row, "memory_pressure_permille"));
		add_percent(table, measured(row, "io_pressure_permille"));
		table_addf(table, "%lld", json_number(row, "vms"));
		// What its kernel does not tell is no news; that nothing comes from it is.
		table_add(table, measured(row, "cpu_permille") < 0 ? json_word(of, "reason") : "");
	}
	free(rows);
}

static void vms_fill(struct table *table, const json_t *vms, enum top_key key)
{
	static const char *const heads[] = { "VM",   "NODE",  "STATE",	  "CPU",  "MEMORY",
					     "READ", "WRITE", "RECEIVED", "SENT", NULL };
	size_t count;
	struct top_row *rows = rows_sorted(vms, key, vm_weight, &count);

	table_init(table, heads);
	for (size_t i = 0; i < count; i++) {
		const json_t *row = rows[i].row;
		long long memory = measured(row, "memory_mib");

		table_add(table, json_word(row, "name"));
		table_add(table, json_word(row, "node"));
		table_add(table, json_word(row, "state"));
		add_percent(table, measured(row, "cpu_permille"));
		add_amount(table, memory < 0 ? -1 : memory * 1024, "");
		add_amount(table, measured(row, "read_kib_s"), "/s");
		add_amount(table, measured(row, "write_kib_s"), "/s");
		add_amount(table, measured(row, "received_kib_s"), "/s");
		add_amount(table, measured(row, "sent_kib_s"), "/s");
	}
	free(rows);
}

static void top_print(const struct session *session, const json_t *result, enum top_key key,
		      FILE *out, int width)
{
	struct table table;

	nodes_fill(&table, json_object_get(result, "nodes"), key);
	table_print(&table, out, width, session->colour);
	table_fini(&table);
	if (json_array_size(json_object_get(result, "vms")) == 0)
		return;
	fputc('\n', out);
	vms_fill(&table, json_object_get(result, "vms"), key);
	table_print(&table, out, width, session->colour);
	table_fini(&table);
}

// ---- the screen ----

static void on_resize(int signal_number)
{
	(void)signal_number; // it only ends the wait
}

static void put(const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t done = write(STDOUT_FILENO, text, left);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			text += done;
			left -= (size_t)done;
		}
	}
}

// Ctrl-C stays a signal, which ends the loop; what would stop or kill us with the terminal in this
// mode is off.
static void screen_open(struct screen *screen)
{
	struct sigaction action = { .sa_handler = on_resize };
	struct termios raw;

	memset(screen, 0, sizeof(*screen));
	sigaction(SIGWINCH, &action, NULL);
	fflush(stdout);
	if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &screen->saved) == 0) {
		raw = screen->saved;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		raw.c_cc[VSUSP] = raw.c_cc[VQUIT] = _POSIX_VDISABLE;
		screen->keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	}
	put("\033[?1049h\033[?25l\033[?7l"); // another screen, no cursor, no wrapped lines
}

static void screen_close(const struct screen *screen)
{
	put("\033[?7h\033[?25h\033[?1049l");
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->saved);
}

static void screen_measure(struct screen *screen)
{
	struct winsize size;

	screen->rows = ROWS_DEFAULT;
	screen->columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return;
	if (size.ws_row > 1)
		screen->rows = size.ws_row;
	if (size.ws_col > 1)
		screen->columns = size.ws_col;
}

// As many lines as there is room for, each with what was behind it before wiped away.
static void screen_draw(const struct screen *screen, char *text)
{
	char *line = text, *end;

	put("\033[H");
	for (int row = 0; row < screen->rows && *line; row++) {
		end = strchr(line, '\n');
		if (end)
			*end = 0;
		put(line);
		put("\033[K");
		line = end ? end + 1 : line + strlen(line);
		if (*line && row + 1 < screen->rows)
			put("\n");
	}
	put("\033[J");
}

static void screen_show(struct session *session, struct screen *screen, const json_t *result,
			enum top_key key)
{
	char *text = NULL, when[16] = "", head[128];
	time_t at = time(NULL);
	size_t size = 0;
	struct tm tm;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	screen_measure(screen);
	if (localtime_r(&at, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	snprintf(head, sizeof(head), "%.40s  %s  by %s (c cpu, m mem, d disk, n net, a name; q)",
		 result ? json_word(result, "cluster") : "", when, key_words[key]);
	fprintf(out, "%.*s\n\n", (int)text_cut(head, screen->columns), head);
	if (result)
		top_print(session, result, key, out, screen->columns);
	else
		fputs("clusterd does not answer\n", out);
	if (fclose(out) == 0 && text)
		screen_draw(screen, text);
	free(text);
}

// False: quit.
static bool key_take(char byte, enum top_key *key)
{
	switch (tolower((unsigned char)byte)) {
	case 'q':
	case 4: // Ctrl-D
		return false;
	case 'c':
		*key = KEY_CPU;
		break;
	case 'm':
		*key = KEY_MEMORY;
		break;
	case 'd':
		*key = KEY_DISK;
		break;
	case 'n':
		*key = KEY_NET;
		break;
	case 'a':
		*key = KEY_NAME;
		break;
	}
	return true;
}

// Until a key, a signal, or the next look. False: quit.
static bool screen_wait(struct screen *screen, uint64_t until_ms, enum top_key *key)
{
	struct pollfd fd = { .fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN };
	uint64_t now_ms = session_now_ms();
	char bytes[32];
	ssize_t count;

	if (poll(&fd, 1, until_ms > now_ms ? (int)(until_ms - now_ms) : 0) <= 0)
		return !session_interrupted();
	count = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (count <= 0)
		return false; // the terminal is gone
	for (ssize_t i = 0; i < count; i++)
		if (!key_take(bytes[i], key))
			return false;
	return !session_interrupted();
}

static enum exit_status top_live(struct session *session, enum top_key key)
{
	struct screen screen;
	json_t *result = NULL;
	uint64_t next_ms;
	bool on;

	// The first answer before the screen is taken: a failure is said as ever.
	enum exit_status status = session_ask(session, ask_new("top", NULL), &result);

	if (status != EXIT_DONE)
		return status;
	screen_open(&screen);
	do {
		next_ms = session_now_ms() + TOP_MS;
		do {
			screen_show(session, &screen, result, key);
			on = screen_wait(&screen, next_ms, &key);
		} while (on && session_now_ms() < next_ms);
		if (on) {
			json_decref(result);
			session_poll(session, ask_new("top", NULL), &result);
		}
	} while (on && !session_interrupted());
	json_decref(result);
	screen_close(&screen);
	return EXIT_DONE;
}

static enum exit_status top_plain(struct session *session, enum top_key key)
{
	bool watch = invocation_has(session->invocation, OPTION_WATCH);
	enum exit_status status;
	json_t *result;

	for (;;) {
		status = session_ask(session, ask_new("top", NULL), &result);
		if (session_interrupted() && watch)
			status = EXIT_DONE;
		if (status != EXIT_DONE || !result)
			return status;
		if (session->invocation->json)
			session_json(session, result);
		else
			top_print(session, result, key, stdout, session_width(session));
		json_decref(result);
		if (!watch || fflush(stdout) != 0)
			return EXIT_DONE;
		session_sleep_ms(TOP_MS);
		if (session_interrupted())
			return EXIT_DONE;
		if (!session->invocation->json)
			putchar('\n');
	}
}

enum exit_status clustadm_top(struct session *session)
{
	const char *word = session->invocation->values[OPTION_SORT], *kind = getenv("TERM");
	enum top_key key = KEY_CPU;

	if (word) {
		for (key = 0; key < KEY_COUNT && strcmp(key_words[key], word) != 0; key++)
			;
		if (key == KEY_COUNT)
			return session_fail(session, EXIT_USAGE, "usage",
					    "--sort takes cpu, mem, disk, net or name",
					    "clustadm help top");
	}
	if (session->out_terminal && !session->invocation->json && kind &&
	    strcmp(kind, "dumb") != 0)
		return top_live(session, key);
	return top_plain(session, key);
}
