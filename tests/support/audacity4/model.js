// A model of what Audacity 4.0.1 offers to effects of extensions, as strict as Audacity where that matters: chunks of
// at most 65536 samples, one chunk at a time, no argument of another kind, nothing after the commit. `bridge` is
// Python's; it takes and gives JSON.
"use strict";
const MOST = 65536;
const waiting = {};
let running = 0, nextCall = 1;

function ask(what, values) {
    const answer = JSON.parse(bridge(JSON.stringify([what].concat(values))));
    if ("error" in answer) throw new Error(answer.error);
    return answer.value;
}

class ByteBuffer {
    constructor(length) { this.id = ask("buffer", [length]); this.byteLength = 4 * length; this.isLocked = false; }
}

function packed(args) {
    return args.map(function (value) {
        if (value instanceof ByteBuffer) {
            if (value.isLocked) throw new Error("Buffer is in use");
            if (ask("isReleased", [value.id])) throw new Error("Chunk was released");
            return { buffer: value.id };
        }
        if (value !== null && value !== undefined && typeof value === "object") throw new Error("Unsupported native call argument");
        return value === undefined ? null : value;
    });
}

class NativeLibrary {
    dispatch(name, args) { return ask("call", [name, packed(args)]); }
    bind(name) { return (...args) => this.dispatch(name, args); }
    bindWorker(name) {
        return (...args) => new Promise((resolve, reject) => {
            const id = nextCall++;
            const buffers = args.filter((each) => each instanceof ByteBuffer);
            const values = packed(args);
            buffers.forEach((each) => { each.isLocked = true; });
            waiting[id] = { resolve, reject, buffers };
            ask("start", [id, name, values]);
        });
    }
}

// Called by Python when a call on another thread has ended.
function settle(text) {
    const [id, answer] = JSON.parse(text);
    const call = waiting[id];
    delete waiting[id];
    call.buffers.forEach((each) => { each.isLocked = false; });
    if ("error" in answer) call.reject(answer.error); else call.resolve(answer.value);
}

class Chunk {
    constructor(channels, length) {
        this.channelCount = channels;
        this.sampleCount = length;
        this.channels = [];
        for (let i = 0; i < channels; ++i) this.channels.push(new ByteBuffer(length));
        this.isReleased = false;
    }
    release() { this.isReleased = true; ask("release", [this.channels.map((each) => each.id)]); }
}

class Reader {
    constructor(track, options) {
        for (const key of ["channelCount", "sampleRate", "start", "end"]) if (typeof options[key] !== "number") throw new Error(key + " is required");
        if (options.sampleRate !== track.sampleRate || options.channelCount !== track.channelCount) throw new Error("would be mixed");
        this.track = track;
        this.at = Math.round(options.start * track.sampleRate);
        this.end = Math.round(options.end * track.sampleRate);
        this.chunk = null;
    }
    read(most) {
        if (most > MOST) throw new Error("At most 65536 samples");
        if (this.chunk && !this.chunk.isReleased) throw new Error("Previous chunk must be released");
        const length = Math.min(most, this.end - this.at);
        if (length <= 0) return null;
        this.chunk = new Chunk(this.track.channelCount, length);
        ask("fill", [this.track.index, this.at, this.chunk.channels.map((each) => each.id)]);
        this.at += length;
        return this.chunk;
    }
}

class Track {
    constructor(about, index) {
        Object.assign(this, about);
        this.index = index;
    }
    openReader(options) { return new Reader(this, options); }
}

class Writer {
    constructor(edit, options) {
        if (options.channelCount !== 1 && options.channelCount !== 2) throw new Error("1 or 2 channels");
        if (!Number.isInteger(options.sampleRate) || options.sampleRate < 1) throw new Error("whole Hz");
        this.edit = edit;
        this.options = options;
        this.id = ask("writer", [options.channelCount, options.sampleRate]);
        this.isRouted = false;
        edit.writers.push(this);
    }
    createChunk(length) {
        if (!(length >= 1 && length <= MOST)) throw new Error("1 to 65536 samples");
        return new Chunk(this.options.channelCount, length);
    }
    write(chunk) {
        if (this.edit.isOver) throw new Error("The edit is over");
        ask("write", [this.id, chunk.channels.map((each) => each.id)]);     // refuses what is not finite
    }
    addTrack(name, start) {
        if (typeof name !== "string" || typeof start !== "number") throw new Error("name and start");
        this.isRouted = true;
        ask("addTrack", [this.id, name, start]);
    }
}

class Edit {
    constructor(selection) { this.selection = selection; this.writers = []; this.isOver = false; }
    createAudioWriter(options) {
        if (this.isOver) throw new Error("The edit is over");
        return new Writer(this, options);
    }
    commit() {
        if (this.writers.some((each) => !each.isRouted)) throw new Error("A writer has no destination");
        this.isOver = true;
        ask("commit", []);
    }
    abort() { this.isOver = true; }
}

let current = null, insideProcess = false, edits = 0;
const modules = {
    "Audacity.Project": {
        beginEdit(name, session) {
            if (!insideProcess || session !== current || edits) throw new Error("beginEdit once, inside process()");
            edits = 1;
            const about = ask("selection", []);
            about.audioTracks = about.audioTracks.map((each, i) => new Track(each, i));
            return new Edit(about);
        }
    },
    "MuseApi.Native": { open(name) { return ask("open", [name]) ? new NativeLibrary() : null; } }
};
function require(name) {
    if (!(name in modules)) throw new Error("Not allowed module: " + name);
    return modules[name];
}
const exports = {};

const outcome = { state: "none", value: null, progress: [] };
let effect = null, isStopped = false;
const task = { report(fraction, text) {
    if (!(fraction >= 0 && fraction <= 1)) throw new Error("fraction " + fraction);
    outcome.progress.push([fraction, text]);
    return !isStopped;
} };
function openDialog() {
    effect = exports.createSeparate();
    const parameters = effect.parameters();
    if (!Array.isArray(parameters)) throw new Error("parameters() must return an array");
    for (const each of parameters) {
        // Seen in 4.0.1: it opens the dialog, and then refuses the settings.
        if (each.type === "enum" && each.choices.length < 2) throw new Error("Invalid effect settings");
    }
    return JSON.stringify(parameters);
}
function apply(settings) {
    current = {};
    insideProcess = true;
    edits = 0;
    Object.assign(outcome, { state: "running", value: null, progress: [] });
    isStopped = false;
    let answer;
    try { answer = effect.process(JSON.parse(settings), current, task); } finally { insideProcess = false; }
    Promise.resolve(answer).then(
        (value) => { Object.assign(outcome, { state: "resolved", value }); },
        (value) => { Object.assign(outcome, { state: "rejected", value: typeof value === "string" ? value : "not a string: " + value }); });
}
function poll() { effect.poll(task); }
function stop() { isStopped = true; }
function state() { return JSON.stringify(outcome); }
