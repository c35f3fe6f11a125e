// Files, job folders and programs on Windows.
#include "stemdock.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

enum { DEEPEST = 8, TICK_MS = 20, POLITE_MS = 1000, PATIENT_MS = 3000, LINE_LIMIT = 32000, TRIES = 1000, YOUNG_S = 3600 };
#define OWNER L"owner"              // the file in a job folder that its process keeps open
#define PREFIX L"job-"

static HANDLE owner = INVALID_HANDLE_VALUE;

// A path or argument in UTF-16; false if it is not UTF-8 or does not fit.
static bool widen(wchar_t *wide, int size, const char *text) {
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, size) > 0;
}

static bool narrow(char *text, size_t size, const wchar_t *wide) {
    return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, (int)size, NULL, NULL) > 0;
}

static bool join(wchar_t *path, const wchar_t *folder, const wchar_t *name) {
    const int length = swprintf(path, PATH_LIMIT, L"%ls\\%ls", folder, name);
    return length > 0 && length < PATH_LIMIT;
}

static int reason(void) {
    switch (GetLastError()) {
        case ERROR_FILE_NOT_FOUND:
        case ERROR_PATH_NOT_FOUND: return ENOENT;
        case ERROR_ACCESS_DENIED:
        case ERROR_SHARING_VIOLATION: return EACCES;
        case ERROR_DISK_FULL:
        case ERROR_HANDLE_DISK_FULL: return ENOSPC;
        default: return EIO;
    }
}

FILE *system_open(const char *path, char mode) {
    wchar_t wide[PATH_LIMIT];
    if (!widen(wide, PATH_LIMIT, path)) {
        errno = EINVAL;
        return NULL;
    }
    const bool is_new = mode == 'w';
    // Not inherited, since there are no security attributes.
    HANDLE handle = CreateFileW(wide, is_new ? GENERIC_WRITE : GENERIC_READ,
                                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                is_new ? CREATE_ALWAYS : OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        errno = reason();
        return NULL;
    }
    const int descriptor = _open_osfhandle((intptr_t)handle, (is_new ? _O_WRONLY : _O_RDONLY) | _O_BINARY | _O_NOINHERIT);
    if (descriptor < 0) {
        CloseHandle(handle);
        return NULL;
    }
    FILE *file = _fdopen(descriptor, is_new ? "wb" : "rb");
    if (!file) _close(descriptor);
    return file;
}

bool system_seek(FILE *file, int64_t offset, int whence) { return !_fseeki64(file, offset, whence); }

int64_t system_size(FILE *file) { return _filelengthi64(_fileno(file)); }

bool system_own_path(char *path, size_t size) {
    HMODULE library;
    wchar_t wide[PATH_LIMIT];
    const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, (LPCWSTR)(const void *)&owner, &library)) return false;
    const DWORD length = GetModuleFileNameW(library, wide, PATH_LIMIT);
    return length && length < PATH_LIMIT && narrow(path, size, wide);
}

static bool make_folders(wchar_t *path) {
    for (wchar_t *at = path; *at; ++at) {
        if ((*at != L'\\' && *at != L'/') || at == path || at[-1] == L':') continue;
        const wchar_t kept = *at;
        *at = 0;
        CreateDirectoryW(path, NULL);       // if it is missing; what cannot be made shows below
        *at = kept;
    }
    CreateDirectoryW(path, NULL);
    const DWORD about = GetFileAttributesW(path);
    return about != INVALID_FILE_ATTRIBUTES && about & FILE_ATTRIBUTE_DIRECTORY;
}

static void remove_tree(const wchar_t *folder, int depth) {
    wchar_t path[PATH_LIMIT];
    WIN32_FIND_DATAW found;
    if (depth >= DEEPEST || !join(path, folder, L"*")) return;
    HANDLE list = FindFirstFileW(path, &found);
    if (list != INVALID_HANDLE_VALUE) {
        do {
            if (!wcscmp(found.cFileName, L".") || !wcscmp(found.cFileName, L"..")) continue;
            if (!join(path, folder, found.cFileName)) continue;
            const DWORD about = found.dwFileAttributes;
            const bool is_link = about & FILE_ATTRIBUTE_REPARSE_POINT;
            if (about & FILE_ATTRIBUTE_DIRECTORY && is_link) RemoveDirectoryW(path);
            else if (about & FILE_ATTRIBUTE_DIRECTORY) remove_tree(path, depth + 1);
            else DeleteFileW(path);
        } while (FindNextFileW(list, &found));
        FindClose(list);
    }
    RemoveDirectoryW(folder);
}

static bool is_old(const FILETIME *written) {
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    const uint64_t a = (uint64_t)written->dwHighDateTime << 32 | written->dwLowDateTime;
    const uint64_t b = (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
    return b > a && b - a > (uint64_t)YOUNG_S * 10000000;
}

// Whether the process of a job folder has gone. A folder without an owner is just being made, unless it is old.
static bool is_abandoned(const wchar_t *folder, const FILETIME *written) {
    wchar_t path[PATH_LIMIT];
    if (!join(path, folder, OWNER)) return false;
    HANDLE handle = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE) return GetLastError() == ERROR_FILE_NOT_FOUND && is_old(written);
    CloseHandle(handle);
    return true;
}

static void remove_abandoned(const wchar_t *parent) {
    wchar_t path[PATH_LIMIT];
    WIN32_FIND_DATAW found;
    if (!join(path, parent, PREFIX L"*")) return;
    HANDLE list = FindFirstFileW(path, &found);
    if (list == INVALID_HANDLE_VALUE) return;
    do {
        if (!(found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) || !join(path, parent, found.cFileName)) continue;
        if (is_abandoned(path, &found.ftLastWriteTime)) remove_tree(path, 0);
    } while (FindNextFileW(list, &found));
    FindClose(list);
}

static void remove_own(const wchar_t *folder) {
    if (owner != INVALID_HANDLE_VALUE) CloseHandle(owner);
    owner = INVALID_HANDLE_VALUE;
    // A file goes when its last handle is closed: a scanner's, or that of a program which is just ending.
    const uint64_t began = GetTickCount64();
    for (;;) {
        remove_tree(folder, 0);
        if (GetFileAttributesW(folder) == INVALID_FILE_ATTRIBUTES || GetTickCount64() - began > PATIENT_MS) return;
        Sleep(TICK_MS);
    }
}

bool system_begin_job(const char *parent, char *folder, size_t size) {
    wchar_t above[PATH_LIMIT], path[PATH_LIMIT], lock[PATH_LIMIT], name[64];
    bool is_made = false;
    if (!widen(above, PATH_LIMIT, parent) || !make_folders(above)) return false;
    remove_abandoned(above);
    for (int i = 0; i < TRIES && !is_made; ++i) {
        const unsigned long long now = GetTickCount64();
        const int length = swprintf(name, 64, PREFIX L"%lx-%llx-%d", (unsigned long)GetCurrentProcessId(), now, i);
        if (length < 0 || length >= 64 || !join(path, above, name)) return false;
        is_made = CreateDirectoryW(path, NULL);
        if (!is_made && GetLastError() != ERROR_ALREADY_EXISTS) break;
    }
    if (!is_made) {
        errno = reason();
        return false;
    }
    if (join(lock, path, OWNER)) {
        owner = CreateFileW(lock, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    }
    if (owner != INVALID_HANDLE_VALUE && narrow(folder, size, path)) return true;
    remove_own(path);
    return false;
}

void system_end_job(const char *folder) {
    wchar_t path[PATH_LIMIT];
    if (widen(path, PATH_LIMIT, folder)) remove_own(path);
}

// Adds an argument in quotes, as CommandLineToArgvW and the C runtime take it apart.
static bool add_quoted(char *line, size_t *length, const char *argument) {
    size_t at = *length, slashes = 0;
    if (at + 2 * strlen(argument) + 4 > LINE_LIMIT) return false;
    if (at) line[at++] = ' ';
    line[at++] = '"';
    for (; *argument; ++argument) {
        if (*argument == '"') {
            for (++slashes; slashes; --slashes) line[at++] = '\\';
        }
        slashes = *argument == '\\' ? slashes + 1 : 0;
        line[at++] = *argument;
    }
    for (; slashes; --slashes) line[at++] = '\\';
    line[at++] = '"';
    line[at] = 0;
    *length = at;
    return true;
}

static HANDLE open_inherited(const wchar_t *path, DWORD access, DWORD how) {
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    return CreateFileW(path, access, share, &inherited, how, FILE_ATTRIBUTE_NORMAL, NULL);
}

// Starts the program, suspended, with three handles and no other of Audacity's.
static bool start_with(wchar_t *line, HANDLE *handles, PROCESS_INFORMATION *child) {
    STARTUPINFOEXW how = {0};
    SIZE_T size = 0;
    BOOL is_started = FALSE;
    how.StartupInfo.cb = sizeof how;
    how.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    how.StartupInfo.hStdInput = handles[0];
    how.StartupInfo.hStdOutput = handles[1];
    how.StartupInfo.hStdError = handles[2];
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    how.lpAttributeList = size ? calloc(1, size) : NULL;
    if (!how.lpAttributeList) return false;
    if (InitializeProcThreadAttributeList(how.lpAttributeList, 1, 0, &size)) {
        const DWORD flags = CREATE_NO_WINDOW | CREATE_SUSPENDED | EXTENDED_STARTUPINFO_PRESENT;
        if (UpdateProcThreadAttribute(how.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles,
                                      3 * sizeof *handles, NULL, NULL)) {
            is_started = CreateProcessW(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, &how.StartupInfo, child);
        }
        DeleteProcThreadAttributeList(how.lpAttributeList);
    }
    free(how.lpAttributeList);
    return is_started;
}

static bool start(const program *what, PROCESS_INFORMATION *child) {
    wchar_t output[PATH_LIMIT], errors[PATH_LIMIT];
    size_t length = 0;
    bool is_started = false;
    char *line = calloc(1, LINE_LIMIT);
    wchar_t *wide = calloc(LINE_LIMIT, sizeof *wide);
    bool is_good = line && wide && widen(output, PATH_LIMIT, what->output) && widen(errors, PATH_LIMIT, what->errors);
    for (const char *const *each = what->arguments; is_good && *each; ++each) is_good = add_quoted(line, &length, *each);
    if (is_good && widen(wide, LINE_LIMIT, line)) {
        HANDLE handles[3] = {open_inherited(L"NUL", GENERIC_READ, OPEN_EXISTING),
                             open_inherited(output, GENERIC_WRITE, CREATE_ALWAYS),
                             open_inherited(errors, GENERIC_WRITE, CREATE_ALWAYS)};
        is_good = true;
        for (int i = 0; i < 3; ++i) is_good = is_good && handles[i] != INVALID_HANDLE_VALUE;
        is_started = is_good && start_with(wide, handles, child);
        if (!is_started) errno = reason();
        for (int i = 0; i < 3; ++i)
            if (handles[i] != INVALID_HANDLE_VALUE) CloseHandle(handles[i]);
    }
    free(wide);
    free(line);
    return is_started;
}

// A job object, with which the program ends when Audacity does. What the program starts is not in it: the worker
// serves other editors, too.
static HANDLE leash(HANDLE child) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit = {0};
    limit.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    HANDLE group = CreateJobObjectW(NULL, NULL);
    if (group && SetInformationJobObject(group, JobObjectExtendedLimitInformation, &limit, sizeof limit) &&
        AssignProcessToJobObject(group, child)) {
        return group;
    }
    if (group) CloseHandle(group);
    return NULL;                    // the program runs without it, and is ended by its own handle
}

outcome system_run(const program *what, int *status) {
    PROCESS_INFORMATION child = {0};
    const uint64_t began = GetTickCount64();
    uint64_t stopped = 0;
    bool is_slow = false;
    DWORD code = 0;
    *status = -1;
    if (!start(what, &child)) return NOT_STARTED;
    HANDLE group = leash(child.hProcess);
    if (ResumeThread(child.hThread) == (DWORD)-1) TerminateProcess(child.hProcess, 1);
    CloseHandle(child.hThread);
    while (WaitForSingleObject(child.hProcess, TICK_MS) == WAIT_TIMEOUT) {
        const uint64_t now = GetTickCount64();
        if (what->seconds > 0 && (double)(now - began) > 1000 * what->seconds) is_slow = true;
        if (!stopped && (is_slow || atomic_load(what->cancelled))) stopped = now;
        if (stopped && (is_slow || now - stopped > POLITE_MS)) TerminateProcess(child.hProcess, 1);
    }
    if (GetExitCodeProcess(child.hProcess, &code)) *status = (int)code;
    CloseHandle(child.hProcess);
    if (group) CloseHandle(group);
    return atomic_load(what->cancelled) ? CANCELLED : is_slow ? TOO_SLOW : ENDED;
}
