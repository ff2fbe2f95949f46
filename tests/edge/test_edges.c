// SPDX-License-Identifier: Apache-2.0
// Edges that need no root: the loop and its threads, records of processes, QEMU's monitor against
// one that lies.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "clusterd/loop_io.h"
#include "clusterd/worker_io.h"
#include "csv/volume_io.h"
#include "resources/host_internal.h"
#include "resources/image_io.h"
#include "resources/qmp_io.h"
#include "resources/record_io.h"

// --- threads -----------------------------------------------------------------------------------

enum { TASKS = 500 };

struct counted {
	struct worker_task task;
	struct loop *loop;
	int *done;
	int value;
};

static void counted_work(void *owner)
{
	struct counted *counted = owner;

	counted->value++;
}

static void counted_done(void *owner)
{
	struct counted *counted = owner;

	assert_int_equal(counted->value, 1);
	if (++*counted->done == TASKS)
		loop_stop(counted->loop);
}

static void test_workers(void **state)
{
	struct counted *all = calloc(TASKS, sizeof(*all));
	struct worker *worker;
	struct loop *loop;
	int done = 0, i;

	(void)state;
	assert_int_equal(loop_open(&loop), 0);
	assert_int_equal(worker_open(&worker, loop, 8, "test"), 0);
	for (i = 0; i < TASKS; i++) {
		all[i] = (struct counted){ .loop = loop, .done = &done };
		all[i].task = (struct worker_task){ .work = counted_work, .done = counted_done,
						    .owner = &all[i] };
		worker_submit(worker, &all[i].task);
	}
	loop_run(loop);
	assert_int_equal(done, TASKS);
	worker_close(worker);
	loop_close(loop);
	free(all);
}

static void test_exec(void **state)
{
	const char *const good[] = { "sh", "-c", "echo said; exit 3", NULL };
	const char *const slow[] = { "sleep", "30", NULL };
	const char *const mute[] = { "sh", "-c", "exec >&- 2>&-; sleep 30", NULL };
	const char *const none[] = { "/nonexistent/program", NULL };
	char output[16];

	(void)state;
	assert_int_equal(exec_run(good, output, sizeof(output), 60000), 3);
	assert_string_equal(output, "said\n");
	assert_int_equal(exec_run(slow, output, sizeof(output), 100), -ETIMEDOUT);
	assert_int_equal(exec_run(mute, output, sizeof(output), 300), -ETIMEDOUT);
	assert_int_equal(exec_run(none, output, sizeof(output), 100), -ENOENT);
	assert_true(exec_start_time(getpid(), NULL) > 0);
	assert_true(exec_start_time(0x3fffffff, NULL) == 0);
}

// --- records -----------------------------------------------------------------------------------

static void folder_make(char *folder)
{
	char vms[128];

	strcpy(folder, "/tmp/test-edges-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(vms, sizeof(vms), "%s/vms", folder);
	assert_int_equal(mkdir(vms, 0700), 0);
}

static void folder_remove(const char *folder)
{
	const char *const argv[] = { "rm", "-rf", folder, NULL };
	char output[64];

	assert_int_equal(exec_run(argv, output, sizeof(output), 60000), 0);
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("sleep", "sleep", "600", NULL);
		_exit(1);
	}
	return pid;
}

static struct record record_of(pid_t pid, uint8_t number)
{
	struct record record = { .pid = pid, .start = exec_start_time(pid, NULL), .attempt = 5,
				 .vm = { 3, 4 }, .saved_move = 12,
				 .saved_bytes = UINT64_C(1) << 33 };

	memset(record.uuid.bytes, number, sizeof(record.uuid.bytes));
	record.sanlock.pid = getpid();
	record.sanlock.start = exec_start_time(getpid(), NULL);
	record.lease_count = 1;
	strcpy(record.leases[0].lockspace, "clusterd-v1");
	strcpy(record.leases[0].name, "some-name");
	strcpy(record.leases[0].path, "/a path/with blanks");
	record.leases[0].offset = 7 << 20;
	record.leases[0].sector = 512;
	record.leases[0].align = 1 << 20;
	assert_true(record_boot(record.boot));
	return record;
}

static void record_take(void *owner, const struct record *record)
{
	struct record *found = owner;

	found[record->uuid.bytes[0]] = *record;
}

static void test_records(void **state)
{
	struct record *found = calloc(256, sizeof(*found));
	struct record record = record_of(getpid(), 1);
	char folder[64], path[256];
	FILE *file;

	(void)state;
	folder_make(folder);
	assert_int_equal(record_write(folder, &record), 0);
	snprintf(path, sizeof(path), "%s/vms/02020202-0202-0202-0202-020202020202", folder);
	file = fopen(path, "w");
	fputs("record 1\nprocess 17 4\nlease much too short\n", file);
	fclose(file);
	assert_int_equal(record_each(folder, record_take, found), 1);
	assert_memory_equal(&found[1].uuid, &record.uuid, sizeof(record.uuid));
	assert_int_equal(found[1].pid, record.pid);
	assert_true(found[1].start == record.start && found[1].attempt == 5);
	assert_int_equal(found[1].vm.serial, 4);
	assert_true(found[1].saved_move == 12 && found[1].saved_bytes == UINT64_C(1) << 33);
	assert_string_equal(found[1].leases[0].path, "/a path/with blanks");
	assert_true(found[1].leases[0].offset == 7 << 20);
	assert_int_equal(found[2].pid, 0);
	// What cannot be read stays, as one that may live, and keeps sanlock from being started.
	assert_int_equal(record_each(folder, record_take, found), 1);
	assert_int_equal(record_end_orphans(folder, 100), 1);
	unlink(path);
	assert_int_equal(record_end_orphans(folder, 100), 0);
	record_remove(folder, &record.uuid);
	memset(found, 0, sizeof(*found) * 256);
	assert_int_equal(record_each(folder, record_take, found), 0);
	assert_int_equal(found[1].pid, 0);
	folder_remove(folder);
	assert_int_equal(record_each(folder, record_take, found), 0); // the first start after boot
	free(found);
}

// No byte of a record can be lost or changed without its being refused, or meaning something else.
static void test_record_damaged(void **state)
{
	struct record *found = calloc(256, sizeof(*found));
	struct record record = record_of(getpid(), 1);
	char folder[64], path[256], text[2048], changed[2048], reason[REASON_SIZE];
	size_t size;
	FILE *file;

	(void)state;
	folder_make(folder);
	assert_int_equal(record_write(folder, &record), 0);
	snprintf(path, sizeof(path), "%s/vms/01010101-0101-0101-0101-010101010101", folder);
	file = fopen(path, "r");
	size = fread(text, 1, sizeof(text), file);
	fclose(file);
	for (size_t i = 0; i < 2 * size; i++) {
		size_t at = i / 2;

		memcpy(changed, text, size);
		if (i % 2)
			memmove(changed + at, changed + at + 1, size - at - 1);
		else
			changed[at] = '#';
		file = fopen(path, "w");
		fwrite(changed, 1, size - i % 2, file);
		fclose(file);
		memset(found, 0, sizeof(*found) * 256);
		if (record_each(folder, record_take, found) == 0)
			assert_memory_not_equal(&found[1], &record, sizeof(record));
	}
	for (size_t i = 0; i < size; i++) {
		file = fopen(path, "w");
		fwrite(text, 1, i, file);
		fclose(file);
		assert_int_equal(record_each(folder, record_take, found), 1);
		assert_false(record_gone(folder, &record.uuid, reason));
	}
	assert_int_equal(record_write(folder, &record), 0);
	strcpy(record.leases[0].path, "/a\nb");
	assert_int_equal(record_write(folder, &record), -EINVAL);
	record.boot[0] = 0;
	assert_int_equal(record_write(folder, &record), -EINVAL);
	assert_int_equal(record_each(folder, record_take, found), 0);	// the old one
	assert_string_equal(found[1].leases[0].path, "/a path/with blanks");
	folder_remove(folder);
	free(found);
}

static void test_record_gone(void **state)
{
	struct record record;
	char folder[64], reason[REASON_SIZE];
	pid_t pid = sleeper();

	(void)state;
	folder_make(folder);
	record = record_of(pid, 1);
	assert_true(record_gone(folder, &record.uuid, reason));
	assert_int_equal(record_write(folder, &record), 0);
	assert_false(record_gone(folder, &record.uuid, reason));
	record.start++;
	assert_int_equal(record_write(folder, &record), 0);
	assert_true(record_gone(folder, &record.uuid, reason));
	record.start--;
	assert_int_equal(record_write(folder, &record), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(record_gone(folder, &record.uuid, reason));
	folder_remove(folder);
}

// However few descriptors there are to look with: nobody is called gone who is not.
static void test_record_unknown(void **state)
{
	struct rlimit limit, few;
	struct record record;
	char folder[64], reason[REASON_SIZE];
	pid_t pid = sleeper();
	int left = -1, refused = 0;

	(void)state;
	folder_make(folder);
	record = record_of(pid, 1);
	record.sanlock.start++;
	assert_int_equal(record_write(folder, &record), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (few = limit, few.rlim_cur = 0; few.rlim_cur < 64 && left != 0; few.rlim_cur++) {
		bool gone;

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		gone = record_gone(folder, &record.uuid, reason);
		left = record_end_orphans(folder, 60000);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		refused += left != 0;
		if (kill(pid, 0) == 0 && waitpid(pid, NULL, WNOHANG) == 0)
			assert_true(!gone && left != 0);
	}
	assert_true(left == 0 && refused >= 3);
	assert_int_not_equal(kill(pid, 0), 0);
	folder_remove(folder);
}

// Only what is certainly the recorded process, and whose sanlock is gone, is killed.
static void test_orphans(void **state)
{
	pid_t pids[4];
	struct record records[4];
	char folder[64];
	int status, i;

	(void)state;
	folder_make(folder);
	for (i = 0; i < 4; i++) {
		pids[i] = sleeper();
		records[i] = record_of(pids[i], (uint8_t)(1 + i));
	}
	records[0].sanlock.start++; // another process has that number now: sanlock is gone
	records[1].sanlock.start++;
	records[1].start++;			// and this is not the process that was recorded
	records[2].sanlock.start++;
	records[2].boot[0] ^= 1;		// recorded before the host was restarted
	for (i = 0; i < 4; i++)
		assert_int_equal(record_write(folder, &records[i]), 0);
	assert_int_equal(record_end_orphans(folder, 60000), 0);
	assert_int_equal(waitpid(pids[0], &status, 0), pids[0]);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	for (i = 1; i < 4; i++) {
		assert_int_equal(waitpid(pids[i], &status, WNOHANG), 0);
		kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
	}
	folder_remove(folder);
}

// --- the monitor -------------------------------------------------------------------------------

enum { MONITOR_ROUNDS = 10 };

struct monitor {
	struct loop *loop;
	struct qmp *qmp;
	struct loop_timer timer;
	int listen_fd, fd;
	const char *says;		// after the capabilities
	size_t size;
	int counts[QMP_CLOSED + 1];
	char text[256];
	int replies;
	bool reply_ok, close_on_notice;
	uint64_t ms;
	int rounds, patience;
};

static void monitor_reply(void *owner, bool ok, const char *text)
{
	struct monitor *monitor = owner;

	monitor->replies++;
	monitor->reply_ok = ok;
	snprintf(monitor->text, sizeof(monitor->text), "%s", text);
}

static void monitor_notice(void *owner, enum qmp_notice notice, const char *text)
{
	struct monitor *monitor = owner;

	monitor->counts[notice]++;
	if (text)
		snprintf(monitor->text, sizeof(monitor->text), "%s", text);
	if (notice == QMP_READY)
		assert_int_equal(
			qmp_command(monitor->qmp, "ask", "{\"a\":1}", monitor_reply, monitor), 0);
	if (monitor->close_on_notice && notice != QMP_READY) {
		qmp_close(monitor->qmp);
		monitor->qmp = NULL;
	}
}

static void monitor_write(struct monitor *monitor, const char *text, size_t size)
{
	while (size) {
		ssize_t sent = send(monitor->fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent <= 0)
			return; // what does not fit is not sent: a liar may also stop in the middle
		text += sent;
		size -= (size_t)sent;
	}
}

static void monitor_heard(void *owner, int fd, uint32_t events)
{
	struct monitor *monitor = owner;
	char buffer[4096];
	ssize_t size = recv(fd, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);

	(void)events;
	if (size <= 0) {
		loop_del_fd(monitor->loop, fd);
		return;
	}
	buffer[size] = 0;
	if (strstr(buffer, "qmp_capabilities"))
		monitor_write(monitor, "{\"return\":{},\"id\":1}\n", 21);
	if (strstr(buffer, "\"ask\""))
		monitor_write(monitor, monitor->says, monitor->size);
}

static void monitor_accept(void *owner, int fd, uint32_t events)
{
	struct monitor *monitor = owner;

	(void)events;
	monitor->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(monitor->fd >= 0);
	loop_add_fd(monitor->loop, monitor->fd, POLLIN, monitor_heard, monitor);
	monitor_write(monitor, "{\"QMP\":{}}\n", 11);
}

// So many rounds of the loop after it was first heard, not only so long: between two of them
// whatever was said is heard, on a busy machine too.
static void monitor_end(void *owner)
{
	struct monitor *monitor = owner;

	if (monitor->counts[QMP_READY] > 0 || monitor->counts[QMP_DEAF] > 0)
		monitor->rounds++;
	if (monitor->rounds == MONITOR_ROUNDS || monitor->patience++ == 60000)
		loop_stop(monitor->loop);
	else
		loop_timer_ms(monitor->loop, &monitor->timer, monitor->ms / MONITOR_ROUNDS,
			      monitor_end, monitor);
}

// What the client makes of a monitor that says this after the capabilities.
static struct monitor monitor_run(const char *says, size_t size, bool close_on_notice, uint64_t ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct monitor monitor = { .says = says, .size = size, .close_on_notice = close_on_notice };
	char folder[64];

	folder_make(folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp", folder);
	assert_int_equal(loop_open(&monitor.loop), 0);
	monitor.fd = -1;
	monitor.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	// Opened before anybody listens: it has to try again.
	assert_int_equal(
		qmp_open(&monitor.qmp, monitor.loop, address.sun_path, monitor_notice, &monitor),
		0);
	assert_int_equal(qmp_command(monitor.qmp, "early", NULL, NULL, NULL), -ENOTCONN);
	assert_int_equal(bind(monitor.listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(monitor.listen_fd, 4), 0);
	loop_add_fd(monitor.loop, monitor.listen_fd, POLLIN, monitor_accept, &monitor);
	monitor.ms = ms;
	loop_timer_ms(monitor.loop, &monitor.timer, ms / MONITOR_ROUNDS, monitor_end, &monitor);
	loop_run(monitor.loop);
	qmp_close(monitor.qmp);
	loop_close(monitor.loop);
	close(monitor.listen_fd);
	if (monitor.fd >= 0)
		close(monitor.fd);
	folder_remove(folder);
	return monitor;
}

static struct monitor monitor_says(const char *says)
{
	return monitor_run(says, strlen(says), false, 150);
}

static void test_qmp_sense(void **state)
{
	struct monitor monitor;

	(void)state;
	monitor = monitor_says("{\"return\":{\"x\":1},\"id\":2}\n");
	assert_true(monitor.replies == 1 && monitor.reply_ok);
	assert_string_equal(monitor.text, "{\"x\":1}");
	monitor =
		monitor_says("{\"error\":{\"class\":\"c\",\"desc\":\"no such thing\"},\"id\":2}\n");
	assert_true(monitor.replies == 1 && !monitor.reply_ok);
	monitor = monitor_says("{\"return\":{\"status\":\"running\"},\"id\":3}\n");
	assert_int_equal(monitor.counts[QMP_STATUS], 1);
	monitor = monitor_says("{\"event\":\"RESUME\",\"timestamp\":{}}\n");
	assert_int_equal(monitor.counts[QMP_RESUMED], 1);
	monitor = monitor_says(
		"{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}\n{\"event\":\"STOP\"}\n");
	assert_int_equal(monitor.counts[QMP_GUEST_SHUTDOWN], 1);
	assert_int_equal(monitor.counts[QMP_STOPPED], 1);
	monitor = monitor_says(
		"{\"event\":\"BLOCK_IO_ERROR\",\"data\":{\"device\":\"d0\",\"action\":\"stop\","
		"\"operation\":\"write\",\"reason\":\"gone\"}}\n{\"event\":\"STOP\"}\n");
	assert_string_equal(monitor.text, "I/O error on disk d0 (write): gone");
}

static void test_qmp_nonsense(void **state)
{
	static const char *const nonsense[] = {
		"no JSON\n",
		"[]\n",
		"17\n",
		"\n",
		"{}\n",
		"{\"event\":17}\n",
		"{\"event\":\"STOP\",\"data\":[]}\n",
		"{\"return\":{},\"id\":999}\n",
		"{\"return\":{},\"id\":\"2\"}\n",
		"{\"id\":2}\n",
		"{\"return\":[],\"id\":3}\n",
		"{\"return\":{\"status\":5},\"id\":3}\n",
		"{\"QMP\":7}\n",
		"{\"event\":\"BLOCK_IO_ERROR\"}\n",
		"{\"event\":\"BLOCK_IO_ERROR\",\"data\":{\"action\":\"stop\"}}\n",
		"{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":\"yes\"}}\n",
		"{\"return\":{}",
		"\xff\xfe\n",
		"{\"error\":{},\"id\":2}\n",
		"{\"error\":17,\"id\":2}\n",
		"{\"return\":null,\"id\":2}\n",
	};
	struct monitor monitor;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		monitor = monitor_run(nonsense[i], strlen(nonsense[i]), false, 40);
		assert_int_equal(monitor.counts[QMP_READY], 1);
		assert_true(monitor.replies <= 1);
	}
	monitor = monitor_says("no JSON\n");
	assert_int_equal(monitor.counts[QMP_DEAF], 1);
	monitor = monitor_run("a\0b\n", 4, false, 40);
	assert_int_equal(monitor.counts[QMP_DEAF], 1);
}

// The owner closes the monitor inside a notice; more was said behind it.
static void test_qmp_closed_inside(void **state)
{
	const char *says = "{\"event\":\"RESUME\"}\n{\"event\":\"STOP\"}\nno JSON\n";
	struct monitor monitor;

	(void)state;
	monitor = monitor_run(says, strlen(says), true, 40);
	assert_int_equal(monitor.counts[QMP_RESUMED], 1);
	assert_int_equal(monitor.counts[QMP_STOPPED], 0);
}

static void test_qmp_endless(void **state)
{
	size_t size = 16 * 1024;
	char *line = malloc(size);
	struct monitor monitor;

	(void)state;
	memset(line, 'x', size);
	monitor = monitor_run(line, size, false, 100);
	assert_int_equal(monitor.counts[QMP_DEAF], 0);	// it may still come to its end
	free(line);
}

// --- images ------------------------------------------------------------------------------------

static bool image_good(const char *root, const char *path, bool readonly, char *reason)
{
	struct disk_def disk = { .volume = "v1", .readonly = readonly };

	snprintf(disk.path, sizeof(disk.path), "%s", path);
	reason[0] = 0;
	return image_take(root, &disk, getuid(), getgid(), reason);
}

static void image_file(const char *root, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/source/%s", root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void image_write(const char *name, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void qcow2_write(const char *name, const char *backing)
{
	uint8_t image[512] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3 };

	image[15] = 200;
	image[19] = (uint8_t)strlen(backing);
	memcpy(image + 200, backing, strlen(backing));
	image_write(name, image, sizeof(image), 0644);
}

static enum image_state look(const char *root, const char *path, bool readonly, bool qcow2)
{
	struct disk_def disk = { .volume = "v1",
				 .readonly = readonly,
				 .format = qcow2 ? DISK_QCOW2 : DISK_RAW };
	uid_t uid = getuid() ? getuid() : 65534; // one that root's rights do not help

	snprintf(disk.path, sizeof(disk.path), "%s", path);
	return image_look(root, &disk, uid, getuid() ? getgid() : 65534);
}

// What is left of states that nobody restores: a VM's own, and nothing else.
static void test_saved_cleared(void **state)
{
	char root[] = "/tmp/clusterd-saved-XXXXXX", text[37], path[128];
	static const char *const suffixes[] = { ".save", ".save.part", ".nvram" };
	struct uuid uuid = { { 7 } };

	(void)state;
	assert_non_null(mkdtemp(root));
	record_uuid_text(&uuid, text);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s%s", root, text, suffixes[i]);
		image_write(path, "x", 1, 0600);
	}
	saved_clear(root, &uuid);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s%s", root, text, suffixes[i]);
		assert_int_equal(access(path, F_OK) == 0, i == 2);
	}
	saved_clear(root, &uuid); // nothing is left
	unlink(path);
	assert_int_equal(rmdir(root), 0);
}

// What QEMU would find when it opens them, by the user that it runs as.
static void test_images_looked_at(void **state)
{
	char root[] = "/tmp/clusterd-looks-XXXXXX", place[64], command[128];

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(chmod(root, 0755), 0);
	snprintf(place, sizeof(place), "%s/v1", root);
	assert_int_equal(mkdir(place, 0755), 0);
	assert_int_equal(chdir(place), 0);
	image_write("good", "x", 1, 0644);
	image_write("empty", "", 0, 0644);
	image_write("secret", "x", 1, 0000);
	qcow2_write("base", "");
	qcow2_write("top", "base");
	qcow2_write("lost", "nowhere");
	qcow2_write("closed", "secret");
	qcow2_write("remote", "nbd://host/disk");
	qcow2_write("itself", "itself");
	assert_int_equal(mkdir("folder", 0755), 0);
	assert_int_equal(look(root, "good", true, false), IMAGE_GOOD);
	assert_int_equal(look(root, "empty", true, false), IMAGE_GOOD);
	assert_int_equal(look(root, "none", true, false), IMAGE_MISSING);
	assert_int_equal(look(root, "none", false, false), IMAGE_MISSING);
	assert_int_equal(look(root, "good/x", true, false), IMAGE_MISSING);
	assert_int_equal(look(root, "secret", true, false), IMAGE_DENIED);
	assert_int_equal(look(root, "folder", true, false), IMAGE_BROKEN);
	assert_int_equal(look(root, "good", true, true), IMAGE_FORMAT);
	assert_int_equal(look(root, "base", true, true), IMAGE_GOOD);
	assert_int_equal(look(root, "top", true, true), IMAGE_GOOD);
	assert_int_equal(look(root, "lost", true, true), IMAGE_BACKING);
	assert_int_equal(look(root, "closed", true, true), IMAGE_BACKING);
	assert_int_equal(look(root, "itself", true, true), IMAGE_BACKING);
	assert_int_equal(look(root, "remote", true, true), IMAGE_GOOD);
	// What a guest wrote on a raw disk is its own business.
	assert_int_equal(look(root, "lost", true, false), IMAGE_GOOD);
	// One that is written and is root's is given to QEMU's user at the start.
	if (getuid() == 0) {
		assert_int_equal(look(root, "secret", false, false), IMAGE_GOOD);
		assert_int_equal(chown("secret", 65534, 65534), 0);
		assert_int_equal(look(root, "secret", false, false), IMAGE_DENIED);
		assert_int_equal(chown("good", 65534, 65534), 0);
		assert_int_equal(look(root, "good", false, false), IMAGE_GOOD);
	}
	assert_int_equal(chmod("good", 0444), 0);
	assert_int_equal(look(root, "good", false, false), IMAGE_READONLY);
	// And this thread is who it was.
	assert_int_equal(access("/proc/self/mem", R_OK), 0);
	image_write("after", "x", 1, 0600);
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

// One file with two names would have two leases.
static void test_images(void **state)
{
	char root[] = "/tmp/clusterd-images-XXXXXX", place[64], source[64], reason[REASON_SIZE],
	     command[128];

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(source, sizeof(source), "%s/source", root);
	snprintf(place, sizeof(place), "%s/v1", root);
	assert_int_equal(mkdir(source, 0700), 0);
	assert_int_equal(symlink(source, place), 0);
	assert_int_equal(chdir(source), 0);
	assert_int_equal(mkdir("vms", 0700), 0);
	assert_int_equal(symlink("vms", "other"), 0);
	assert_int_equal(symlink("../..", "out"), 0);
	image_file(root, "vms/a");
	image_file(root, "vms/b");
	assert_int_equal(symlink("a", "vms/soft"), 0);
	assert_int_equal(link("vms/b", "vms/hard"), 0);
	assert_true(image_good(root, "vms/a", false, reason));
	assert_true(image_good(root, "vms/missing", false, reason));	// QEMU says so
	assert_false(image_good(root, "vms/soft", false, reason));
	assert_non_null(strstr(reason, "symbolic link"));
	assert_false(image_good(root, "other/a", false, reason));
	assert_false(image_good(root, "out/x", false, reason));
	assert_false(image_good(root, "vms/hard", false, reason));
	assert_non_null(strstr(reason, "hard link"));
	assert_false(image_good(root, "vms/b", false, reason));
	assert_true(image_good(root, "vms/soft", true, reason));
	// A folder with leases of its own is another volume: its VMs know the file by another name.
	assert_int_equal(mkdir("vms/.clusterd", 0700), 0);
	assert_true(image_good(root, "vms/a", false, reason));
	image_file(root, "vms/.clusterd/lockspace");
	assert_false(image_good(root, "vms/a", false, reason));
	assert_non_null(strstr(reason, "volume within the volume"));
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

// A volume below another one, by whatever way it is named.
static void test_volume_inside(void **state)
{
	char top[] = "/tmp/clusterd-volumes-XXXXXX", path[128], reason[REASON_SIZE] = "";
	static const char *const inside[] = { "v1", "v1/vms", "link", "v1/vms/../vms" };
	char command[160];

	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(command, sizeof(command), "mkdir -p %s/v1/vms %s/v1/.clusterd", top, top);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/link", top);
	assert_int_equal(symlink("v1/vms", path), 0);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", top, inside[i]);
		assert_true(volume_stands_alone(path, reason));
	}
	snprintf(path, sizeof(path), "%s/v1/.clusterd/lockspace", top);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", top, inside[i]);
		assert_int_equal(volume_stands_alone(path, reason), i == 0);
	}
	assert_non_null(strstr(reason, "lies inside another volume"));
	assert_false(volume_stands_alone("/nowhere/at/all", reason));
	snprintf(command, sizeof(command), "rm -rf %s", top);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workers),		 cmocka_unit_test(test_exec),
		cmocka_unit_test(test_records),		 cmocka_unit_test(test_record_damaged),
		cmocka_unit_test(test_record_gone),	 cmocka_unit_test(test_record_unknown),
		cmocka_unit_test(test_orphans),		 cmocka_unit_test(test_qmp_sense),
		cmocka_unit_test(test_qmp_nonsense),	 cmocka_unit_test(test_qmp_closed_inside),
		cmocka_unit_test(test_qmp_endless),	 cmocka_unit_test(test_images),
		cmocka_unit_test(test_images_looked_at),  cmocka_unit_test(test_volume_inside),
		cmocka_unit_test(test_images_looked_at),
		cmocka_unit_test(test_saved_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
