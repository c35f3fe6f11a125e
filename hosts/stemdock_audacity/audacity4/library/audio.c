// Audio files: 32-bit float WAV, as RF64 above 4 GB (EBU Tech 3306). All systems that are built for are little-endian.
#include "stemdock.h"

#include <string.h>

enum { BLOCK = 4096, HEADER = 80, DS64 = 28, FORMAT = 16, FLOAT = 3, EXTENSIBLE = 0xFFFE, BITS = 32 };

static void put(unsigned char *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static bool write_header(audio *sound) {
    unsigned char header[HEADER] = {0};
    const uint64_t frame_size = 4 * (uint64_t)sound->channels;
    const uint64_t data = sound->frames * frame_size, riff = data + HEADER - 8;
    const bool is_large = riff > UINT32_MAX;
    memcpy(header, is_large ? "RF64" : "RIFF", 4);
    put(header + 4, is_large ? UINT32_MAX : riff, 4);
    memcpy(header + 8, "WAVE", 4);
    memcpy(header + 12, is_large ? "ds64" : "JUNK", 4);     // room for the sizes that need 64 bits
    put(header + 16, DS64, 4);
    if (is_large) {
        put(header + 20, riff, 8);
        put(header + 28, data, 8);
        put(header + 36, sound->frames, 8);
    }
    memcpy(header + 48, "fmt ", 4);
    put(header + 52, FORMAT, 4);
    put(header + 56, FLOAT, 2);
    put(header + 58, sound->channels, 2);
    put(header + 60, sound->rate, 4);
    put(header + 64, sound->rate * frame_size, 4);
    put(header + 68, frame_size, 2);
    put(header + 70, BITS, 2);
    memcpy(header + 72, "data", 4);
    put(header + 76, is_large ? UINT32_MAX : data, 4);
    return system_seek(sound->file, 0, SEEK_SET) && fwrite(header, HEADER, 1, sound->file) == 1;
}

bool audio_create(audio *sound, const char *path, uint32_t rate, uint32_t channels) {
    *sound = (audio){.channels = channels, .rate = rate, .file = system_open(path, 'w')};
    return sound->file && write_header(sound);
}

bool audio_write(audio *sound, const float *const *buffers, uint64_t frames) {
    float block[BLOCK * CHANNEL_LIMIT];
    for (uint64_t at = 0; at < frames;) {
        size_t n = 0;
        for (; n < BLOCK && at < frames; ++n, ++at)
            for (uint32_t c = 0; c < sound->channels; ++c) memcpy(&block[n * sound->channels + c], buffers[c] + at, 4);
        if (fwrite(block, 4 * sound->channels, n, sound->file) != n) return false;
    }
    sound->frames += frames;
    return true;
}

bool audio_finish(audio *sound) {
    bool is_good = write_header(sound) && !ferror(sound->file);
    FILE *file = sound->file;
    sound->file = NULL;
    return fclose(file) == 0 && is_good;
}

// Reads "fmt ": whether the samples are floats of a number of channels that fits.
static bool read_format(audio *sound, uint64_t size) {
    unsigned char format[FORMAT];
    if (size < FORMAT || fread(format, FORMAT, 1, sound->file) != 1) return false;
    const uint64_t kind = get(format, 2);
    sound->channels = (uint32_t)get(format + 2, 2);
    sound->rate = (uint32_t)get(format + 4, 4);
    return (kind == FLOAT || kind == EXTENSIBLE) && get(format + 14, 2) == BITS && sound->channels >= 1 &&
           sound->channels <= CHANNEL_LIMIT;
}

static bool read_header(audio *sound) {
    unsigned char head[12], ds64[DS64];
    const int64_t length = system_size(sound->file);
    uint64_t data64 = UINT32_MAX;
    if (length < 0 || fread(head, 12, 1, sound->file) != 1 || memcmp(head + 8, "WAVE", 4)) return false;
    if (memcmp(head, "RIFF", 4) && memcmp(head, "RF64", 4)) return false;
    for (int64_t at = 12; fread(head, 8, 1, sound->file) == 1;) {
        uint64_t size = get(head + 4, 4);
        at += 8;
        if (!memcmp(head, "data", 4)) {
            if (size == UINT32_MAX) size = data64;
            const uint64_t there = (uint64_t)(length - at);
            if (size > there) size = there;                 // a file that was cut ends where it ends
            if (!sound->channels) return false;
            sound->frames = size / (4 * sound->channels);
            return true;
        }
        if (!memcmp(head, "ds64", 4)) {
            if (size < DS64 || fread(ds64, DS64, 1, sound->file) != 1) return false;
            data64 = get(ds64 + 8, 8);
        } else if (!memcmp(head, "fmt ", 4) && !read_format(sound, size)) {
            return false;
        }
        at += (int64_t)(size + (size & 1));
        if (at > length || !system_seek(sound->file, at, SEEK_SET)) return false;
    }
    return false;
}

bool audio_open(audio *sound, const char *path) {
    *sound = (audio){.file = system_open(path, 'r')};
    if (sound->file && read_header(sound)) return true;
    audio_close(sound);
    return false;
}

bool audio_read(audio *sound, double gain, float *const *buffers, uint32_t count, uint64_t frames) {
    float block[BLOCK * CHANNEL_LIMIT];
    if (frames > sound->frames) return false;
    for (uint64_t at = 0; at < frames;) {
        const size_t n = frames - at < BLOCK ? (size_t)(frames - at) : BLOCK;
        if (fread(block, 4 * sound->channels, n, sound->file) != n) return false;
        for (size_t i = 0; i < n; ++i, ++at)
            for (uint32_t c = 0; c < count; ++c) {
                const float sample = (float)(gain * block[i * sound->channels + c]);
                memcpy(buffers[c] + at, &sample, 4);
            }
    }
    sound->frames -= frames;
    return true;
}

void audio_close(audio *sound) {
    if (sound->file && fclose(sound->file)) { /* it was read only, or the job is given up */ }
    sound->file = NULL;
}
