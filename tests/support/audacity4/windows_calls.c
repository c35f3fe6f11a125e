// Calls the Windows build of the library as Audacity does, and prints what came of each call, a line each.
// With arguments it is the program that the library starts.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

typedef struct { void *data; uint64_t size; } buffer;
typedef struct {
    uint32_t type;
    union { bool as_bool; double as_number; const char *as_string; void *as_object; buffer as_buffer; };
} value;
typedef int32_t (*dispatcher)(const char *, const value *, uint32_t, value *);

static dispatcher dispatch;
static value result;

static value text(const char *what) { return (value){.type = 3, .as_string = what}; }
static value number(double what) { return (value){.type = 2, .as_number = what}; }
static value samples(float *what, size_t length) { return (value){.type = 5, .as_buffer = {what, 4 * length}}; }

static int call(const char *name, uint32_t count, const value *arguments) {
    result = (value){0};
    return dispatch(name, arguments, count, &result);
}

static void show(const char *what, int status) {
    printf("%s %d", what, status);
    if (result.type == 2) printf(" %g", result.as_number);
    if (result.type == 3) printf(" %s", result.as_string);
    printf("\n");
    fflush(stdout);
}

static DWORD WINAPI cancel_later(void *unused) {
    value ignored = {0};
    (void)unused;
    Sleep(800);
    dispatch("cancel", NULL, 0, &ignored);
    return 0;
}

// Another program that has a file of the job open, as a scanner may, and closes it later.
static DWORD WINAPI hold(void *file) {
    Sleep(700);
    CloseHandle(file);
    return 0;
}

// What the library starts: prints its arguments and whether it got a handle that it must not have.
static int child(int argc, char **argv) {
    if (!strcmp(argv[1], "sleep")) {
        printf("%lu\n", GetCurrentProcessId());
        fflush(stdout);
        Sleep(60000);
        return 0;
    }
    for (int i = 2; i < argc; ++i) printf("[%s]", argv[i]);
    const HANDLE foreign = (HANDLE)(intptr_t)_atoi64(argv[argc - 1]);
    LARGE_INTEGER size;
    printf(" inherited %d\n", GetFileSizeEx(foreign, &size) && size.QuadPart == 12345);
    fprintf(stderr, "done\n");
    return 7;
}

int main(int argc, char **argv) {
    char self[MAX_PATH], handle_text[32], foreign_path[MAX_PATH + 16], old[MAX_PATH], job[MAX_PATH];
    float in[3000], out[3000] = {0};
    if (argc > 2) return child(argc, argv);
    if (argc < 2 || !GetModuleFileNameA(NULL, self, sizeof self)) return 1;
    const HMODULE library = LoadLibraryA("extension\\platform\\windows\\x86_64\\stemdock.dll");
    dispatch = library ? (dispatcher)(void *)GetProcAddress(library, "extension_dispatch_v0") : NULL;
    if (!dispatch) return 2;

    show("unknown", call("nonsense", 0, NULL));
    show("config", call("config", 0, NULL));
    const value parent = text(argv[1]);
    show("begin", call("begin", 1, &parent) ? 1 : 0);
    snprintf(old, sizeof old, "%s", result.as_string);

    for (int i = 0; i < 3000; ++i) in[i] = (float)i / 3000;
    show("create", call("create", 3, (value[]){text("track-1.wav"), number(44100), number(1)}));
    show("write", call("write", 1, (value[]){samples(in, 3000)}));
    show("finish", call("finish", 0, NULL));
    show("open", call("open", 1, (value[]){text("track-1.wav")}));
    const int status = call("read", 2, (value[]){number(1), samples(out, 3000)});
    printf("read %d same %d\n", status, !memcmp(in, out, sizeof in));
    show("put", call("put", 2, (value[]){text("a.json"), text("M\xc3\xbcller")}));
    show("get", call("get", 1, (value[]){text("a.json")}));
    show("outside", call("get", 1, (value[]){text("..\\a.json")}));
    show("drive", call("get", 1, (value[]){text("C:a.json")}));

    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    snprintf(foreign_path, sizeof foreign_path, "%s-foreign", argv[1]);
    const HANDLE foreign = CreateFileA(foreign_path, GENERIC_WRITE, 0, &inherited, CREATE_ALWAYS, 0, NULL);
    SetFilePointer(foreign, 12345, NULL, FILE_BEGIN);
    SetEndOfFile(foreign);
    snprintf(handle_text, sizeof handle_text, "%lld", (long long)(intptr_t)foreign);
    show("run", call("run", 8, (value[]){number(0), text(self), text("echo"), text("a b"), text("say \"x\""),
                                        text("back\\slash\\"), text(""), text(handle_text)}));
    show("output", call("get", 1, (value[]){text("output.txt")}));
    show("errors", call("get", 1, (value[]){text("errors.txt")}));
    show("none", call("run", 2, (value[]){number(0), text("C:\\none\\python.exe")}) ? 1 : 0);

    const ULONGLONG before = GetTickCount64();
    CloseHandle(CreateThread(NULL, 0, cancel_later, NULL, 0, NULL));
    show("cancelled", call("run", 4, (value[]){number(0), text(self), text("sleep"), text("x")}));
    printf("in time %d\n", GetTickCount64() - before < 10000);
    show("asked", call("get", 1, (value[]){text("cancel")}));
    show("begin", call("begin", 1, &parent) ? 1 : 0);
    snprintf(job, sizeof job, "%s", result.as_string);
    show("slow", call("run", 4, (value[]){number(1), text(self), text("sleep"), text("x")}) ? 1 : 0);
    printf("old folder %d\n", GetFileAttributesA(old) != INVALID_FILE_ATTRIBUTES);
    snprintf(foreign_path, sizeof foreign_path, "%s\\output.txt", job);
    const DWORD shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    const HANDLE held = CreateFileA(foreign_path, GENERIC_READ, shared, NULL, OPEN_EXISTING, 0, NULL);
    printf("held %d\n", held != INVALID_HANDLE_VALUE);
    CloseHandle(CreateThread(NULL, 0, hold, held, 0, NULL));
    show("end", call("end", 0, NULL));
    printf("own folder %d\n", GetFileAttributesA(job) != INVALID_FILE_ATTRIBUTES);
    return 0;
}
