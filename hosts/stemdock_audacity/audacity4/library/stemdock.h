// What the files of the library share.
//
// Audacity loads the library into its own process, so a fault here ends Audacity. Hence every call is checked, every
// buffer has a limit, and nothing is decided here: effect.js decides.
#ifndef STEMDOCK_H
#define STEMDOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef _WIN32
#define SEPARATOR "\\"
#else
#define SEPARATOR "/"
#endif

enum { PATH_LIMIT = 4096, ARGUMENT_LIMIT = 32, CHANNEL_LIMIT = 2 };

// ---- system_posix.c, system_windows.c: what differs between systems. Paths are UTF-8. -------------------------------

// Opens a file that no program started here inherits. mode: 'r' or 'w'. NULL with errno set.
FILE *system_open(const char *path, char mode);
bool system_seek(FILE *file, int64_t offset, int whence);
int64_t system_size(FILE *file);

// The file of this library.
bool system_own_path(char *path, size_t size);

// Makes a new folder in parent, for this user alone, that is locked as long as this process lives; removes the folders
// in parent whose process has gone.
bool system_begin_job(const char *parent, char *folder, size_t size);
void system_end_job(const char *folder);

typedef struct {
    const char *const *arguments;   // NULL at the end; the first is the program
    const char *output;             // files for what it prints
    const char *errors;
    double seconds;                 // limit of time; 0 for none
    atomic_bool *cancelled;
} program;

typedef enum { ENDED, NOT_STARTED, CANCELLED, TOO_SLOW } outcome;

// Runs a program and waits for it. Cancelled, it has a second to end by itself; after three, it is killed with its
// children.
outcome system_run(const program *what, int *status);

// ---- audio.c: float WAV, and RF64 above 4 GB -------------------------------------------------------------------------

typedef struct {
    FILE *file;
    uint32_t channels;
    uint32_t rate;
    uint64_t frames;                // written so far, or left to read
} audio;

bool audio_create(audio *sound, const char *path, uint32_t rate, uint32_t channels);
bool audio_write(audio *sound, const float *const *buffers, uint64_t frames);
bool audio_finish(audio *sound);
bool audio_open(audio *sound, const char *path);
bool audio_read(audio *sound, double gain, float *const *buffers, uint32_t count, uint64_t frames);
void audio_close(audio *sound);

#endif
