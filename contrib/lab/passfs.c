// SPDX-License-Identifier: Apache-2.0
// A node's own sight of the shared folder: passes everything through, logs every write, and can
// be told over a socket to lose, slow or hang, or that it is full.
#define FUSE_USE_VERSION 35
#include "labsock.h"

#include <dirent.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/xattr.h>

#define IO_MAX (1024 * 1024)
#define IO_ALIGN 4096
#define SECTOR 512
#define HEAD_MAX 64
#define HEAD_OF_WRITES_UP_TO 4096

enum storage_mode { STORAGE_OK, STORAGE_LOST, STORAGE_HANGING, STORAGE_FULL };

struct passfs {
	int root;
	int log;
	int listener;
	const char *mode_path;
	long long incarnation;
	unsigned long long sequence;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_cond_t drained;
	enum storage_mode mode;
	unsigned int slow_ms;
	unsigned int inflight;
	pthread_key_t buffer_key;
};

struct handle {
	int fd;
	bool direct;
	ino_t ino;
	char path[];
};

static struct passfs *passfs_get(void)
{
	return fuse_get_context()->private_data;
}

/*
 * Nothing that passed the gate is still under way once a loss or a hang has been acknowledged:
 * the changer waits for the count to reach zero. So "the storage is cut" is a fact, not a plan.
 */
static int gate_enter(struct passfs *fs, bool data)
{
	bool slept = false;

	pthread_mutex_lock(&fs->lock);
	for (;;) {
		while (fs->mode == STORAGE_HANGING)
			pthread_cond_wait(&fs->changed, &fs->lock);
		if (fs->mode == STORAGE_LOST) {
			pthread_mutex_unlock(&fs->lock);
			return -EIO;
		}
		if (data && fs->slow_ms && !slept) {
			struct timespec delay = { fs->slow_ms / 1000,
						  (long)(fs->slow_ms % 1000) * 1000000L };

			pthread_mutex_unlock(&fs->lock);
			nanosleep(&delay, NULL);
			pthread_mutex_lock(&fs->lock);
			slept = true;
			continue;
		}
		fs->inflight++;
		pthread_mutex_unlock(&fs->lock);
		return 0;
	}
}

static void gate_leave(struct passfs *fs)
{
	pthread_mutex_lock(&fs->lock);
	if (--fs->inflight == 0)
		pthread_cond_broadcast(&fs->drained);
	pthread_mutex_unlock(&fs->lock);
}

// Files may be written where they are, and grow no more.
static bool gate_full(struct passfs *fs)
{
	bool full;

	pthread_mutex_lock(&fs->lock);
	full = fs->mode == STORAGE_FULL;
	pthread_mutex_unlock(&fs->lock);
	return full;
}

static void gate_change(struct passfs *fs, enum storage_mode mode, unsigned int slow_ms)
{
	pthread_mutex_lock(&fs->lock);
	fs->mode = mode;
	fs->slow_ms = slow_ms;
	pthread_cond_broadcast(&fs->changed);
	while (fs->mode != STORAGE_OK && fs->inflight > 0)
		pthread_cond_wait(&fs->drained, &fs->lock);
	pthread_mutex_unlock(&fs->lock);
}

// --- the log of writes ------------------------------------------------------------------------

static void log_path(char *out, size_t size, const char *path)
{
	size_t used = 0;

	for (; *path && used + 4 < size; path++) {
		if (*path <= ' ' || *path == '%')
			used += (size_t)snprintf(out + used, size - used, "%%%02x",
						 (unsigned char)*path);
		else
			out[used++] = *path;
	}
	out[used] = 0;
}

static unsigned long long log_begin(struct passfs *fs, const char *op, const char *path, ino_t ino,
				    off_t offset, off_t length, const char *data)
{
	unsigned long long sequence = __atomic_add_fetch(&fs->sequence, 1, __ATOMIC_SEQ_CST);
	char name[3 * 256];
	char head[2 * HEAD_MAX + 1] = "-";
	char line[1400];
	int count;

	log_path(name, sizeof(name), path);
	for (int i = 0; data && i < HEAD_MAX && i < length && length <= HEAD_OF_WRITES_UP_TO; i++)
		snprintf(head + 2 * i, 3, "%02x", (unsigned char)data[i]);
	count = snprintf(line, sizeof(line), "B %lld.%llu %lld %lld %s %llu %lld %lld %s %s\n",
			 fs->incarnation, sequence, lab_clock_ns(CLOCK_MONOTONIC),
			 lab_clock_ns(CLOCK_REALTIME), op, (unsigned long long)ino,
			 (long long)offset, (long long)length, name, head);
	if (write(fs->log, line, (size_t)count) != count)
		perror("passfs: log");
	return sequence;
}

static void log_end(struct passfs *fs, unsigned long long sequence, long long result)
{
	char line[128];
	int count = snprintf(line, sizeof(line), "E %lld.%llu %lld %lld\n", fs->incarnation,
			     sequence, lab_clock_ns(CLOCK_MONOTONIC), result);

	if (write(fs->log, line, (size_t)count) != count)
		perror("passfs: log");
}

// --- data -------------------------------------------------------------------------------------

// O_DIRECT below wants aligned memory, and libfuse's own buffers are not.
static char *buffer_get(struct passfs *fs)
{
	void *buffer = pthread_getspecific(fs->buffer_key);

	if (!buffer && posix_memalign(&buffer, IO_ALIGN, IO_MAX + IO_ALIGN) == 0)
		pthread_setspecific(fs->buffer_key, buffer);
	return buffer;
}

static struct handle *handle_of(struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

static const char *relative(const char *path)
{
	return path[1] ? path + 1 : ".";
}

/*
 * The file system below lets unaligned direct I/O pass over a hole. QEMU, probing a new disk with
 * one byte, would conclude that it knows nothing, and write 4096 bytes where the guest wrote 512.
 */
static bool unaligned(const struct handle *handle, size_t size, off_t offset)
{
	return handle->direct && ((size | (size_t)offset) & (SECTOR - 1));
}

static int pass_read(const char *path, char *out, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	char *buffer = buffer_get(fs);
	ssize_t got;
	int error;

	(void)path;
	if (!buffer)
		return -ENOMEM;
	if (unaligned(handle_of(fi), size, offset))
		return -EINVAL;
	if (size > IO_MAX)
		size = IO_MAX;
	error = gate_enter(fs, true);
	if (error)
		return error;
	got = pread(handle_of(fi)->fd, buffer, size, offset);
	error = got < 0 ? -errno : (int)got;
	gate_leave(fs);
	if (got > 0)
		memcpy(out, buffer, (size_t)got);
	return error;
}

static int pass_write(const char *path, const char *data, size_t size, off_t offset,
		      struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	struct handle *handle = handle_of(fi);
	char *buffer = buffer_get(fs);
	unsigned long long sequence;
	struct stat status;
	ssize_t put;
	int result;

	(void)path;
	if (!buffer)
		return -ENOMEM;
	if (unaligned(handle, size, offset))
		return -EINVAL;
	if (size > IO_MAX)
		size = IO_MAX;
	memcpy(buffer, data, size);
	result = gate_enter(fs, true);
	if (result)
		return result;
	if (gate_full(fs) &&
	    (fstat(handle->fd, &status) < 0 || offset + (off_t)size > status.st_size)) {
		gate_leave(fs);
		return -ENOSPC;
	}
	sequence = log_begin(fs, "write", handle->path, handle->ino, offset, (off_t)size, buffer);
	put = pwrite(handle->fd, buffer, size, offset);
	result = put < 0 ? -errno : (int)put;
	log_end(fs, sequence, result);
	gate_leave(fs);
	return result;
}

static int pass_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	int error = gate_enter(fs, true);

	(void)path;
	if (error)
		return error;
	error = datasync ? fdatasync(handle_of(fi)->fd) : fsync(handle_of(fi)->fd);
	error = error ? -errno : 0;
	gate_leave(fs);
	return error;
}

static int pass_fallocate(const char *path, int mode, off_t offset, off_t length,
			  struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	struct handle *handle = handle_of(fi);
	unsigned long long sequence;
	int error = gate_enter(fs, true);

	(void)path;
	if (error)
		return error;
	sequence = log_begin(fs, "fallocate", handle->path, handle->ino, offset, length, NULL);
	error = fallocate(handle->fd, mode, offset, length) ? -errno : 0;
	log_end(fs, sequence, error);
	gate_leave(fs);
	return error;
}

static int pass_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	unsigned long long sequence;
	struct stat st;
	int fd = fi ? handle_of(fi)->fd : -1;
	int error = gate_enter(fs, true);

	if (error)
		return error;
	if (!fi)
		fd = openat(fs->root, relative(path), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st)) {
		error = -errno;
	} else {
		sequence = log_begin(fs, "truncate", path ? path : handle_of(fi)->path, st.st_ino,
				     size, 0, NULL);
		error = ftruncate(fd, size) ? -errno : 0;
		log_end(fs, sequence, error);
	}
	if (!fi && fd >= 0)
		close(fd);
	gate_leave(fs);
	return error;
}

static off_t pass_lseek(const char *path, off_t offset, int whence, struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	off_t result = gate_enter(fs, false);

	(void)path;
	if (result)
		return result;
	result = lseek(handle_of(fi)->fd, offset, whence);
	if (result < 0)
		result = -errno;
	gate_leave(fs);
	return result;
}

// --- opening ----------------------------------------------------------------------------------

static int handle_open(struct passfs *fs, const char *path, int flags, mode_t mode,
		       struct fuse_file_info *fi)
{
	struct handle *handle = malloc(sizeof(*handle) + strlen(path) + 1);
	struct stat st;
	int error;

	if (!handle)
		return -ENOMEM;
	// The kernel has done O_APPEND's arithmetic already; pwrite on it would ignore the offset.
	handle->fd = openat(fs->root, relative(path), (flags & ~O_APPEND) | O_CLOEXEC, mode);
	if (handle->fd < 0 || fstat(handle->fd, &st)) {
		error = -errno;
		if (handle->fd >= 0)
			close(handle->fd);
		free(handle);
		return error;
	}
	handle->ino = st.st_ino;
	handle->direct = flags & O_DIRECT;
	strcpy(handle->path, path);
	fi->fh = (uintptr_t)handle;
	// A page cache here would be one that the other nodes do not see.
	fi->direct_io = 1;
	return 0;
}

static int pass_open(const char *path, struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	int error = gate_enter(fs, false);

	if (error)
		return error;
	error = handle_open(fs, path, fi->flags & ~(O_CREAT | O_EXCL | O_NOCTTY), 0, fi);
	gate_leave(fs);
	return error;
}

static int own_new(struct passfs *fs, const char *path)
{
	struct fuse_context *caller = fuse_get_context();

	if (fchownat(fs->root, relative(path), caller->uid, caller->gid, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return 0;
}

static int pass_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	bool existed;
	int error = gate_enter(fs, false);

	if (error)
		return error;
	existed = faccessat(fs->root, relative(path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	error = handle_open(fs, path, fi->flags | O_CREAT, mode, fi);
	if (!error && !existed)
		error = own_new(fs, path);
	gate_leave(fs);
	return error;
}

static int pass_release(const char *path, struct fuse_file_info *fi)
{
	struct handle *handle = handle_of(fi);

	(void)path;
	close(handle->fd);
	free(handle);
	return 0;
}

// --- names and attributes: one line each between gate_enter and gate_leave ----------------------

#define PASSED(call)                                                                               \
	do {                                                                                       \
		struct passfs *fs = passfs_get();                                                  \
		int error = gate_enter(fs, false);                                                 \
                                                                                                   \
		if (error)                                                                         \
			return error;                                                              \
		error = (call) < 0 ? -errno : 0;                                                   \
		gate_leave(fs);                                                                    \
		return error;                                                                      \
	} while (0)

static int pass_flush(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	PASSED(0);
}

static int pass_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	if (fi)
		PASSED(fstat(handle_of(fi)->fd, st));
	PASSED(fstatat(fs->root, relative(path), st, AT_SYMLINK_NOFOLLOW));
}

static int pass_readlink(const char *path, char *out, size_t size)
{
	struct passfs *fs = passfs_get();
	ssize_t got;
	int error = gate_enter(fs, false);

	if (error)
		return error;
	got = readlinkat(fs->root, relative(path), out, size - 1);
	if (got < 0)
		error = -errno;
	else
		out[got] = 0;
	gate_leave(fs);
	return error;
}

static int pass_mknod(const char *path, mode_t mode, dev_t device)
{
	PASSED(mknodat(fs->root, relative(path), mode, device) ? -1 : own_new(fs, path));
}

static int pass_mkdir(const char *path, mode_t mode)
{
	PASSED(mkdirat(fs->root, relative(path), mode) ? -1 : own_new(fs, path));
}

static int pass_symlink(const char *target, const char *path)
{
	PASSED(symlinkat(target, fs->root, relative(path)) ? -1 : own_new(fs, path));
}

static int pass_link(const char *from, const char *to)
{
	PASSED(linkat(fs->root, relative(from), fs->root, relative(to), 0));
}

static int pass_rename(const char *from, const char *to, unsigned int flags)
{
	PASSED(renameat2(fs->root, relative(from), fs->root, relative(to), flags));
}

static int pass_unlink(const char *path)
{
	PASSED(unlinkat(fs->root, relative(path), 0));
}

static int pass_rmdir(const char *path)
{
	PASSED(unlinkat(fs->root, relative(path), AT_REMOVEDIR));
}

static int pass_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	if (fi)
		PASSED(fchmod(handle_of(fi)->fd, mode));
	PASSED(fchmodat(fs->root, relative(path), mode, 0));
}

static int pass_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	if (fi)
		PASSED(fchown(handle_of(fi)->fd, uid, gid));
	PASSED(fchownat(fs->root, relative(path), uid, gid, AT_SYMLINK_NOFOLLOW));
}

static int pass_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *fi)
{
	if (fi)
		PASSED(futimens(handle_of(fi)->fd, times));
	PASSED(utimensat(fs->root, relative(path), times, AT_SYMLINK_NOFOLLOW));
}

static int pass_statfs(const char *path, struct statvfs *st)
{
	struct passfs *fs = passfs_get();
	int error = gate_enter(fs, false);

	(void)path;
	if (error)
		return error;
	error = fstatvfs(fs->root, st) < 0 ? -errno : 0;
	if (gate_full(fs))
		st->f_bfree = st->f_bavail = 0;
	gate_leave(fs);
	return error;
}

static int pass_opendir(const char *path, struct fuse_file_info *fi)
{
	struct passfs *fs = passfs_get();
	int error = gate_enter(fs, false);
	int fd;

	if (error)
		return error;
	fd = openat(fs->root, relative(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	error = fd < 0 ? -errno : 0;
	fi->fh = (uint64_t)fd;
	gate_leave(fs);
	return error;
}

static int pass_releasedir(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	close((int)fi->fh);
	return 0;
}

static int pass_readdir(const char *path, void *out, fuse_fill_dir_t fill, off_t offset,
			struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	struct passfs *fs = passfs_get();
	struct dirent *entry;
	DIR *dir = NULL;
	int error = gate_enter(fs, false);
	int fd;

	(void)path;
	(void)offset;
	(void)flags;
	if (error)
		return error;
	fd = openat((int)fi->fh, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir)
		error = -errno;
	while (dir && (entry = readdir(dir))) {
		struct stat st = { .st_ino = entry->d_ino,
				   .st_mode = (mode_t)entry->d_type << 12 };

		if (fill(out, entry->d_name, &st, 0, 0))
			break;
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	gate_leave(fs);
	return error;
}

static int pass_fsyncdir(const char *path, int datasync, struct fuse_file_info *fi)
{
	(void)path;
	(void)datasync;
	PASSED(fsync((int)fi->fh));
}

// --- being told -------------------------------------------------------------------------------

static const char *mode_text(struct passfs *fs, char *out, size_t size)
{
	pthread_mutex_lock(&fs->lock);
	if (fs->mode == STORAGE_LOST)
		snprintf(out, size, "lose");
	else if (fs->mode == STORAGE_HANGING)
		snprintf(out, size, "hang");
	else if (fs->mode == STORAGE_FULL)
		snprintf(out, size, "full");
	else if (fs->slow_ms)
		snprintf(out, size, "slow %u", fs->slow_ms);
	else
		snprintf(out, size, "restore");
	pthread_mutex_unlock(&fs->lock);
	return out;
}

static bool mode_set(struct passfs *fs, const char *line)
{
	unsigned int slow_ms = 0;

	if (strcmp(line, "lose") == 0)
		gate_change(fs, STORAGE_LOST, 0);
	else if (strcmp(line, "hang") == 0)
		gate_change(fs, STORAGE_HANGING, 0);
	else if (strcmp(line, "full") == 0)
		gate_change(fs, STORAGE_FULL, 0);
	else if (strcmp(line, "restore") == 0)
		gate_change(fs, STORAGE_OK, 0);
	else if (sscanf(line, "slow %u", &slow_ms) == 1)
		gate_change(fs, STORAGE_OK, slow_ms);
	else
		return false;
	return true;
}

// A pulled cable stays pulled while its node is off: the mode outlives the process.
static void mode_save(struct passfs *fs)
{
	char text[64];
	FILE *file = fopen(fs->mode_path, "we");

	if (!file)
		return;
	fprintf(file, "%s\n", mode_text(fs, text, sizeof(text)));
	fclose(file);
}

static void mode_load(struct passfs *fs)
{
	char text[64] = "";
	FILE *file = fopen(fs->mode_path, "re");

	if (!file)
		return;
	if (fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = 0;
		mode_set(fs, text);
	}
	fclose(file);
}

static void *control_run(void *data)
{
	struct passfs *fs = data;

	for (;;) {
		char line[128] = "";
		char text[64];
		int fd = accept4(fs->listener, NULL, NULL, SOCK_CLOEXEC);
		ssize_t got;

		if (fd < 0)
			continue;
		got = read(fd, line, sizeof(line) - 1);
		if (got > 0) {
			line[strcspn(line, "\n")] = 0;
			if (strcmp(line, "status") == 0 || mode_set(fs, line)) {
				mode_save(fs);
				dprintf(fd, "ok %s\n", mode_text(fs, text, sizeof(text)));
			} else {
				dprintf(fd, "error unknown: %s\n", line);
			}
		}
		close(fd);
	}
	return NULL;
}

static void *pass_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	struct passfs *fs = fuse_get_context()->private_data;
	pthread_t thread;

	conn->max_write = IO_MAX;
	conn->max_background = 512;
	conn->congestion_threshold = 512;
	conn->want &= ~(unsigned int)(FUSE_CAP_SPLICE_READ | FUSE_CAP_WRITEBACK_CACHE);
	config->use_ino = 1;
	config->hard_remove = 1;
	config->nullpath_ok = 1;
	config->entry_timeout = 0;
	config->attr_timeout = 0;
	config->negative_timeout = 0;
	if (pthread_create(&thread, NULL, control_run, fs))
		abort();
	pthread_detach(thread);
	return fs;
}

static const struct fuse_operations operations = {
	.init = pass_init,
	.getattr = pass_getattr,
	.readlink = pass_readlink,
	.mknod = pass_mknod,
	.mkdir = pass_mkdir,
	.unlink = pass_unlink,
	.rmdir = pass_rmdir,
	.symlink = pass_symlink,
	.rename = pass_rename,
	.link = pass_link,
	.chmod = pass_chmod,
	.chown = pass_chown,
	.truncate = pass_truncate,
	.open = pass_open,
	.read = pass_read,
	.write = pass_write,
	.statfs = pass_statfs,
	.flush = pass_flush,
	.release = pass_release,
	.fsync = pass_fsync,
	.opendir = pass_opendir,
	.readdir = pass_readdir,
	.releasedir = pass_releasedir,
	.fsyncdir = pass_fsyncdir,
	.create = pass_create,
	.utimens = pass_utimens,
	.fallocate = pass_fallocate,
	.lseek = pass_lseek,
};

int main(int argc, char **argv)
{
	struct passfs fs = { .incarnation = lab_clock_ns(CLOCK_MONOTONIC) };
	char *fuse_argv[] = { argv[0], "-f", "-o",
			      "allow_other,default_permissions,dev,suid,fsname=labshared,"
			      "subtype=passfs,max_threads=256,max_idle_threads=64",
			      NULL, NULL };

	if (argc != 6) {
		fprintf(stderr, "usage: passfs BACKING MOUNTPOINT LOG SOCKET MODEFILE\n");
		return 2;
	}
	umask(0);
	fs.root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fs.log = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	fs.mode_path = argv[5];
	fs.listener = lab_listen(argv[4]);
	if (fs.root < 0 || fs.log < 0 || fs.listener < 0) {
		perror("passfs: opening");
		return 1;
	}
	pthread_mutex_init(&fs.lock, NULL);
	pthread_cond_init(&fs.changed, NULL);
	pthread_cond_init(&fs.drained, NULL);
	pthread_key_create(&fs.buffer_key, free);
	mode_load(&fs);
	fuse_argv[4] = argv[2];
	return fuse_main(5, fuse_argv, &operations, &fs);
}
