// Files, job folders and programs on Linux and macOS.
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _FILE_OFFSET_BITS 64
#include "stemdock.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { DEEPEST = 8, TICK_MS = 20, POLITE_MS = 1000, PATIENT_MS = 3000, YOUNG_S = 3600 };
#define OWNER "owner"               // the file in a job folder that its process keeps locked
#define PREFIX "job-"

static int owner = -1;

FILE *system_open(const char *path, char mode) {
    const int flags = mode == 'w' ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
    // O_NONBLOCK has no effect on a file, and does not wait at a pipe.
    const int descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (descriptor < 0) return NULL;
    struct stat about;
    FILE *file = NULL;
    if (!fstat(descriptor, &about)) {
        if (S_ISREG(about.st_mode)) file = fdopen(descriptor, mode == 'w' ? "wb" : "rb");
        else errno = EINVAL;
    }
    if (!file) {
        const int reason = errno;
        close(descriptor);
        errno = reason;
    }
    return file;
}

bool system_seek(FILE *file, int64_t offset, int whence) { return !fseeko(file, (off_t)offset, whence); }

int64_t system_size(FILE *file) {
    struct stat about;
    return fstat(fileno(file), &about) ? -1 : (int64_t)about.st_size;
}

bool system_own_path(char *path, size_t size) {
    Dl_info about;
    if (!dladdr((const void *)&owner, &about) || !about.dli_fname) return false;
    const int length = snprintf(path, size, "%s", about.dli_fname);
    return length > 0 && (size_t)length < size;
}

static bool join(char *path, const char *folder, const char *name) {
    const int length = snprintf(path, PATH_LIMIT, "%s/%s", folder, name);
    return length > 0 && length < PATH_LIMIT;
}

// Makes a folder and its parents, if they are missing.
static bool make_folders(const char *path) {
    char part[PATH_LIMIT];
    const size_t length = strlen(path);
    if (path[0] != '/' || length >= sizeof part) return false;
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; ++i) {
        if (part[i] != '/' && part[i] != 0) continue;
        const char kept = part[i];
        part[i] = 0;
        if (mkdir(part, 0700) && errno != EEXIST && errno != EROFS && errno != EACCES) return false;
        part[i] = kept;
    }
    struct stat about;
    return !lstat(path, &about) && S_ISDIR(about.st_mode) && about.st_uid == geteuid() &&
           !(about.st_mode & (S_IWGRP | S_IWOTH));
}

static void remove_tree(const char *folder, int depth) {
    DIR *open_folder = depth < DEEPEST ? opendir(folder) : NULL;
    if (open_folder) {
        struct dirent *entry;
        while ((entry = readdir(open_folder))) {
            char path[PATH_LIMIT];
            struct stat about;
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            if (!join(path, folder, entry->d_name) || lstat(path, &about)) continue;
            if (S_ISDIR(about.st_mode)) remove_tree(path, depth + 1);
            else unlink(path);
        }
        closedir(open_folder);
    }
    rmdir(folder);
}

// Whether the process of a job folder has gone. A folder without an owner is just being made, unless it is old.
static bool is_abandoned(const char *folder) {
    char path[PATH_LIMIT];
    struct stat about;
    if (!join(path, folder, OWNER) || lstat(folder, &about) || !S_ISDIR(about.st_mode)) return false;
    const int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return errno == ENOENT && time(NULL) - about.st_mtime > YOUNG_S;
    const bool is_free = !flock(descriptor, LOCK_EX | LOCK_NB);
    close(descriptor);
    return is_free;
}

static void remove_abandoned(const char *parent) {
    DIR *folder = opendir(parent);
    struct dirent *entry;
    if (!folder) return;
    while ((entry = readdir(folder))) {
        char path[PATH_LIMIT];
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) || !join(path, parent, entry->d_name)) continue;
        if (is_abandoned(path)) remove_tree(path, 0);
    }
    closedir(folder);
}

bool system_begin_job(const char *parent, char *folder, size_t size) {
    char path[PATH_LIMIT];
    if (!make_folders(parent)) return false;
    remove_abandoned(parent);
    const int length = snprintf(folder, size, "%s/" PREFIX "XXXXXX", parent);
    if (length < 0 || (size_t)length >= size || !mkdtemp(folder)) return false;
    if (join(path, folder, OWNER)) owner = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_EXCL, 0600);
    // Where files cannot be locked, nobody else can lock this one, so the folder is safe there, too.
    if (owner >= 0 && (!flock(owner, LOCK_EX | LOCK_NB) || errno == ENOLCK || errno == ENOTSUP)) return true;
    system_end_job(folder);
    return false;
}

void system_end_job(const char *folder) {
    remove_tree(folder, 0);
    if (owner >= 0) close(owner);
    owner = -1;
}

// Whether a variable is one that an AppImage or a bundle sets for itself; it would break another program's Python.
static bool is_foreign(const char *variable) {
    static const char *const names[] = {"LD_LIBRARY_PATH=", "LD_PRELOAD=", "DYLD_", "PYTHONHOME=", "PYTHONPATH=",
                                        "QT_PLUGIN_PATH=", "QML2_IMPORT_PATH="};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        if (!strncmp(variable, names[i], strlen(names[i]))) return true;
    return false;
}

static char **own_environment(void) {
    size_t count = 0, kept = 0;
    while (environ && environ[count]) ++count;
    char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; ++i)
        if (!is_foreign(environ[i])) copy[kept++] = environ[i];
    return copy;
}

// The child gets three files and nothing else of Audacity's, no blocked or ignored signal, and a group of its own.
static bool prepare(const program *what, posix_spawn_file_actions_t *files, posix_spawnattr_t *how) {
    const int fresh = O_WRONLY | O_CREAT | O_TRUNC;
    sigset_t none, all;
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0)) return false;
    if (posix_spawn_file_actions_addopen(files, 1, what->output, fresh, 0600)) return false;
    if (posix_spawn_file_actions_addopen(files, 2, what->errors, fresh, 0600)) return false;
#ifdef __APPLE__
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#else
    if (posix_spawn_file_actions_addclosefrom_np(files, 3)) return false;
#endif
    if (sigemptyset(&none) || sigfillset(&all)) return false;
    return !posix_spawnattr_setsigmask(how, &none) && !posix_spawnattr_setsigdefault(how, &all) &&
           !posix_spawnattr_setpgroup(how, 0) && !posix_spawnattr_setflags(how, flags);
}

static bool start(const program *what, pid_t *child) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    bool is_started = false;
    if (posix_spawn_file_actions_init(&files)) return false;
    if (!posix_spawnattr_init(&how)) {
        char **environment = own_environment();
        is_started = environment && prepare(what, &files, &how) &&
                     !posix_spawn(child, what->arguments[0], &files, &how, (char *const *)what->arguments, environment);
        free(environment);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&files);
    return is_started;
}

static double seconds_now(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

outcome system_run(const program *what, int *status) {
    pid_t child = 0;
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    const double began = seconds_now();
    double stopped = 0;
    bool is_slow = false, is_asked = false;
    *status = -1;
    if (!start(what, &child)) return NOT_STARTED;
    for (;;) {
        int raw = 0;
        const pid_t ended = waitpid(child, &raw, WNOHANG);
        if (ended == child) *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
        if (ended == child || (ended < 0 && errno != EINTR)) break;
        const double now = seconds_now();
        if (what->seconds > 0 && now - began > what->seconds) is_slow = true;
        if (!stopped && (is_slow || atomic_load(what->cancelled))) stopped = now;
        const double waited_ms = stopped ? 1000 * (now - stopped) : 0;
        if (waited_ms > PATIENT_MS) {
            kill(-child, SIGKILL);
        } else if (!is_asked && (is_slow || waited_ms > POLITE_MS)) {
            is_asked = true;
            kill(-child, SIGTERM);
        }
        nanosleep(&tick, NULL);
    }
    if (stopped) kill(-child, SIGKILL);     // what it may have started
    return atomic_load(what->cancelled) ? CANCELLED : is_slow ? TOO_SLOW : ENDED;
}
