// The one function that Audacity 4 calls, and the calls that effect.js makes through it. Audacity's interface is
// `extension_dispatch_v0`; it runs calls on the main thread, and those of `bindWorker` on one of two others.
#include "stemdock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

enum { OK, FAILED, UNKNOWN_CALL, INVALID_ARGUMENT };
enum { NONE, BOOL, NUMBER, STRING, OBJECT, BUFFER };
enum { SMALL_FILE = 1 << 23, TAIL = 1 << 13, MESSAGE = 2 * PATH_LIMIT, FASTEST = 1 << 24 };

typedef struct {
    void *data;
    uint64_t size;                  // bytes
} ext_buffer;

typedef struct {
    uint32_t type;
    union {
        bool as_bool;
        double as_number;
        const char *as_string;
        void *as_object;
        ext_buffer as_buffer;
    };
} ext_value;

_Static_assert(sizeof(ext_value) == 24, "Audacity's layout");
_Static_assert(sizeof(float) == 4, "32-bit float");

typedef struct {
    const ext_value *arguments;
    uint32_t count;
    ext_value *result;
} request;

static char job[PATH_LIMIT];        // the folder of the job, "" without one
static audio input, stem;
static atomic_bool cancelled;
static atomic_flag busy = ATOMIC_FLAG_INIT;

// What a returned string points into. It must live until the next call on the same thread.
static _Thread_local char *text;

static bool hold_text(size_t size) {
    free(text);
    text = calloc(1, size);
    return text != NULL;
}

static int give_text(const request *asked) {
    asked->result->type = STRING;
    asked->result->as_string = text;
    return OK;
}

static int give_number(const request *asked, double number) {
    asked->result->type = NUMBER;
    asked->result->as_number = number;
    return OK;
}

static int fail(const request *asked, const char *what, const char *path) {
    const char *reason = errno ? strerror(errno) : NULL;
    if (hold_text(MESSAGE)) {
        snprintf(text, MESSAGE, "%s%s%s%s%s", what, path ? " " : "", path ? path : "", reason ? ": " : ".",
                 reason ? reason : "");
        give_text(asked);
    }
    return FAILED;
}

static bool is_text(const request *asked, uint32_t index) {
    return index < asked->count && asked->arguments[index].type == STRING && asked->arguments[index].as_string;
}

static bool is_whole(const request *asked, uint32_t index, double least, double most) {
    if (index >= asked->count || asked->arguments[index].type != NUMBER) return false;
    const double number = asked->arguments[index].as_number;
    return number >= least && number <= most && number == (double)(int64_t)number;
}

// The buffers from an argument on, one for each channel and all of one size; the number of frames, or -1.
static int64_t buffers_of(const request *asked, uint32_t first, uint32_t channels, float **buffers) {
    if (asked->count != first + channels || channels > CHANNEL_LIMIT) return -1;
    const uint64_t size = asked->arguments[first].as_buffer.size;
    for (uint32_t c = 0; c < channels; ++c) {
        const ext_value *value = &asked->arguments[first + c];
        if (value->type != BUFFER || value->as_buffer.size != size || (size && !value->as_buffer.data)) return -1;
        buffers[c] = value->as_buffer.data;
    }
    return size % 4 || size > INT64_MAX ? -1 : (int64_t)(size / 4);
}

// The path of a file in the job folder. A name cannot lead out of it.
static bool path_in_job(char *path, const char *name) {
    if (!job[0] || !name[0] || strchr(name, ':') || strchr(name, '\\')) return false;
    for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        const size_t length = strcspn(part, "/");
        if (!length || (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.')) return false;
    }
    const int length = snprintf(path, PATH_LIMIT, "%s" SEPARATOR "%s", job, name);
    return length > 0 && length < PATH_LIMIT;
}

// Gives the content of a file, or its end; nothing if there is none.
static int give_file(const request *asked, const char *path, int64_t most, bool is_tail) {
    FILE *file = system_open(path, 'r');
    if (!file) return OK;
    const int64_t size = system_size(file);
    const int64_t start = is_tail && size > most ? size - most : 0;
    size_t length = 0;
    bool is_good = size >= 0 && size - start <= most && system_seek(file, start, SEEK_SET) &&
                   hold_text((size_t)(size - start) + 1);
    if (is_good) {
        length = fread(text, 1, (size_t)(size - start), file);
        is_good = !ferror(file);
        text[length] = 0;
    }
    fclose(file);
    return is_good ? give_text(asked) : fail(asked, "Could not read", path);
}

static void close_all(void) {
    audio_close(&input);
    audio_close(&stem);
    if (job[0]) system_end_job(job);
    job[0] = 0;
}

// config() -> the text of program.json in the bundle, in which this library is platform/OS/ARCH/stemdock.so
static int call_config(const request *asked) {
    char path[PATH_LIMIT];
    if (!system_own_path(path, sizeof path)) return fail(asked, "The library's own folder was not found", NULL);
    for (int level = 0; level < 4; ++level) {
        char *end = NULL;
        for (char *at = path; *at; ++at)
            if (*at == '/' || *at == SEPARATOR[0]) end = at;
        if (!end) return fail(asked, "The library is not in its bundle", NULL);
        *end = 0;
    }
    const size_t length = strlen(path);
    const int added = snprintf(path + length, sizeof path - length, SEPARATOR "program.json");
    if (added < 0 || (size_t)added >= sizeof path - length) return fail(asked, "The path is too long", NULL);
    return give_file(asked, path, SMALL_FILE, false);
}

// begin(parent) -> a new folder for a job, in which all other calls work
static int call_begin(const request *asked) {
    if (asked->count != 1 || !is_text(asked, 0)) return INVALID_ARGUMENT;
    close_all();
    atomic_store(&cancelled, false);
    if (!system_begin_job(asked->arguments[0].as_string, job, sizeof job)) {
        job[0] = 0;
        return fail(asked, "No folder for temporary files could be made in", asked->arguments[0].as_string);
    }
    if (!hold_text(PATH_LIMIT)) return FAILED;
    memcpy(text, job, strlen(job) + 1);
    return give_text(asked);
}

// put(name, text): writes a small file
static int call_put(const request *asked) {
    char path[PATH_LIMIT];
    if (asked->count != 2 || !is_text(asked, 0) || !is_text(asked, 1)) return INVALID_ARGUMENT;
    if (!path_in_job(path, asked->arguments[0].as_string)) return INVALID_ARGUMENT;
    const char *content = asked->arguments[1].as_string;
    FILE *file = system_open(path, 'w');
    if (!file) return fail(asked, "Could not write", path);
    bool is_good = fwrite(content, 1, strlen(content), file) == strlen(content);
    is_good = fclose(file) == 0 && is_good;
    return is_good ? OK : fail(asked, "Could not write", path);
}

// get(name), tail(name) -> the text of a file, or its end; null without it
static int call_get(const request *asked, int64_t most, bool is_tail) {
    char path[PATH_LIMIT];
    if (asked->count != 1 || !is_text(asked, 0) || !path_in_job(path, asked->arguments[0].as_string)) {
        return INVALID_ARGUMENT;
    }
    return give_file(asked, path, most, is_tail);
}

// create(name, rate, channels): starts an audio file
static int call_create(const request *asked) {
    char path[PATH_LIMIT];
    if (asked->count != 3 || !is_text(asked, 0) || !path_in_job(path, asked->arguments[0].as_string)) {
        return INVALID_ARGUMENT;
    }
    if (!is_whole(asked, 1, 1, FASTEST) || !is_whole(asked, 2, 1, CHANNEL_LIMIT)) return INVALID_ARGUMENT;
    audio_close(&input);
    const uint32_t rate = (uint32_t)asked->arguments[1].as_number, channels = (uint32_t)asked->arguments[2].as_number;
    return audio_create(&input, path, rate, channels) ? OK : fail(asked, "Could not write", path);
}

// write(buffer for each channel), finish(): add audio to the file that was created, and close it
static int call_write(const request *asked) {
    float *buffers[CHANNEL_LIMIT] = {0};
    const int64_t frames = input.file ? buffers_of(asked, 0, input.channels, buffers) : -1;
    if (frames < 0) return INVALID_ARGUMENT;
    const float *const constant[CHANNEL_LIMIT] = {buffers[0], buffers[1]};
    return audio_write(&input, constant, (uint64_t)frames) ? OK : fail(asked, "Could not write audio to", job);
}

static int call_finish(const request *asked) {
    if (!input.file) return INVALID_ARGUMENT;
    return audio_finish(&input) ? OK : fail(asked, "Could not write audio to", job);
}

// run(seconds, program, arguments...) -> exit status, -1 if it was killed. It prints to output.txt and errors.txt.
static int call_run(const request *asked) {
    const char *arguments[ARGUMENT_LIMIT + 1] = {0};
    char output[PATH_LIMIT], errors[PATH_LIMIT];
    int status = -1;
    if (asked->count < 2 || asked->count > ARGUMENT_LIMIT || !is_whole(asked, 0, 0, 3600)) return INVALID_ARGUMENT;
    for (uint32_t i = 1; i < asked->count; ++i) {
        if (!is_text(asked, i)) return INVALID_ARGUMENT;
        arguments[i - 1] = asked->arguments[i].as_string;
    }
    if (!path_in_job(output, "output.txt") || !path_in_job(errors, "errors.txt")) return INVALID_ARGUMENT;
    const program what = {.arguments = arguments, .output = output, .errors = errors,
                          .seconds = asked->arguments[0].as_number, .cancelled = &cancelled};
    switch (system_run(&what, &status)) {
        case ENDED: return give_number(asked, status);
        case CANCELLED: errno = 0; return fail(asked, "cancelled", NULL);
        case TOO_SLOW: errno = 0; return fail(asked, "This program did not answer in time:", arguments[0]);
        default: return fail(asked, "This program could not be started:", arguments[0]);
    }
}

// cancel(): stops run. The worker, which is not its child, is asked by a file.
static int call_cancel(void) {
    char path[PATH_LIMIT];
    if (!job[0] || atomic_exchange(&cancelled, true) || !path_in_job(path, "cancel")) return OK;
    FILE *file = system_open(path, 'w');
    if (file) fclose(file);
    return OK;
}

// open(name) -> the number of frames of a stem; its channels and its rate are in the result of the job
static int call_open(const request *asked) {
    char path[PATH_LIMIT];
    if (asked->count != 1 || !is_text(asked, 0) || !path_in_job(path, asked->arguments[0].as_string)) {
        return INVALID_ARGUMENT;
    }
    audio_close(&stem);
    if (!audio_open(&stem, path)) return fail(asked, "Could not read", path);
    return give_number(asked, (double)stem.frames);
}

// read(gain, buffer for each channel): the next frames of the stem, times a factor
static int call_read(const request *asked) {
    float *buffers[CHANNEL_LIMIT] = {0};
    const bool has_gain = asked->count && asked->arguments[0].type == NUMBER;
    const int64_t frames = stem.file && has_gain ? buffers_of(asked, 1, stem.channels, buffers) : -1;
    if (frames < 0) return INVALID_ARGUMENT;
    const double gain = asked->arguments[0].as_number;
    if (audio_read(&stem, gain, buffers, stem.channels, (uint64_t)frames)) return OK;
    return fail(asked, "A stem is shorter than it must be in", job);
}

static int dispatch_exclusively(const char *call, const request *asked) {
    if (!strcmp(call, "begin")) return call_begin(asked);
    if (!strcmp(call, "create")) return call_create(asked);
    if (!strcmp(call, "write")) return call_write(asked);
    if (!strcmp(call, "finish")) return call_finish(asked);
    if (!strcmp(call, "run")) return call_run(asked);
    if (!strcmp(call, "open")) return call_open(asked);
    if (!strcmp(call, "read")) return call_read(asked);
    if (!strcmp(call, "end")) {
        close_all();
        return OK;
    }
    return UNKNOWN_CALL;
}

EXPORT int32_t extension_dispatch_v0(const char *call, const ext_value *arguments, uint32_t count, ext_value *result) {
    const request asked = {.arguments = arguments, .count = count, .result = result};
    if (!call || !result || (count && !arguments)) return INVALID_ARGUMENT;
    result->type = NONE;
    errno = 0;
    // These may run beside another call: they touch neither the audio nor the name of the job.
    if (!strcmp(call, "config")) return call_config(&asked);
    if (!strcmp(call, "put")) return call_put(&asked);
    if (!strcmp(call, "get")) return call_get(&asked, SMALL_FILE, false);
    if (!strcmp(call, "tail")) return call_get(&asked, TAIL, true);
    if (!strcmp(call, "cancel")) return call_cancel();
    if (atomic_flag_test_and_set(&busy)) return fail(&asked, "A separation is already under way", NULL);
    const int status = dispatch_exclusively(call, &asked);
    atomic_flag_clear(&busy);
    return status;
}
