// The effect "Separate stems" of Audacity 4.
//
// Audacity's scripts can touch audio and cannot leave Audacity. The library beside this file can, and does nothing by
// itself. So this file copies the selection into a job folder, has Stemdock's program do the job, and makes tracks of
// the stems. Job folder: docs/hosts.md. Audacity's engine knows ECMAScript 7.
"use strict";
const Project = require("Audacity.Project");
const Native = require("MuseApi.Native");

const CHUNK = 65536;            // samples; Audacity refuses more
const CHUNKS_PER_TURN = 16;     // after so many, Audacity draws its window and looks for Cancel
const ANSWER_TIME = 15;         // seconds for the list of models
const SHARES = { reading: 0.05, working: 0.9, inserting: 0.05 };
const INSTALL = "Close Audacity, and run in a terminal: plugin-cli audacity install.";
const DOCTOR = "Run in a terminal: plugin-cli audacity doctor.";

// The sentence of an error, whether it comes from the library, from Audacity or from here.
function textOf(error) {
    const text = String(error && error.message ? error.message : error);
    return /[.!?]$/.test(text) ? text : text + ".";
}

function decibels(gain) {
    return Math.pow(10, gain / 20);
}

// A name without characters that cannot be seen.
function printable(name) {
    return name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ");
}

function buffersOf(chunk) {
    const buffers = [];
    for (let i = 0; i < chunk.channelCount; ++i) buffers.push(chunk.channels[i]);
    return buffers;
}

function duration(seconds) {
    return seconds < 90 ? Math.ceil(seconds) + " s" : Math.round(seconds / 60) + " min";
}

// The selected part of each track, to the sample of the track.
function partsOf(selection) {
    const parts = [];
    const hasTime = selection.end > selection.start;
    for (let i = 0; i < selection.audioTracks.length; ++i) {
        const track = selection.audioTracks[i];
        const rate = Math.round(track.sampleRate);
        const start = hasTime ? Math.max(selection.start, track.start) : track.start;
        const end = hasTime ? Math.min(selection.end, track.end) : track.end;
        const first = Math.round(start * rate);
        const length = Math.round(end * rate) - first;
        if (length > 0) {
            parts.push({
                id: String(parts.length + 1), name: printable(track.name || "") || "Track " + (i + 1),
                track: track, rate: rate, first: first, length: length
            });
        }
    }
    return parts;
}

// What to separate, in the words of the job folder.
function requestFor(protocol, folder, parts, order) {
    return {
        protocol: protocol,
        host: { name: "Audacity" },
        output_dir: folder + "/stems",
        model: order.model,
        stems: order.stems,
        mixes: order.mixes,
        sources: parts.map(function (part) {
            return {
                id: part.id, name: part.name, path: folder + "/track-" + part.id + ".wav", start: 0, file_name: part.id
            };
        }),
        details: {}
    };
}

// The one place where stems enter the project. Audacity 4.0 appends the track at the end, chooses its colour, leaves
// the clip without a name, and lets no extension move a track or mute the original. What it learns belongs here.
function placeTrack(writer, stem, part) {
    writer.addTrack(printable(stem.name + " \u2013 " + part.name), part.first / part.rate);
}

exports.createSeparate = function () {
    const lib = Native.open("stemdock");    // null: there is none for this system, or it does not load
    let known = null;                       // configuration and models, read when the dialog opens
    let shown = { step: "reading", fraction: 0, text: "" };
    let isCancelled = false, mayDownload = false, question = "";

    // ---- what is installed -------------------------------------------------------------------------------------

    function answer(config) {
        lib.dispatch("begin", [config.jobs]);
        try {
            let status = 0;
            try {
                status = lib.dispatch("run", [ANSWER_TIME].concat(config.program, ["models"]));
            } catch (error) {
                throw textOf(error) + " " + INSTALL;
            }
            const models = status === 0 ? lib.dispatch("get", ["output.txt"]) : null;
            if (!models) throw "Stemdock does not start. " + DOCTOR;
            return JSON.parse(models).models;
        } finally {
            lib.dispatch("end", []);
        }
    }

    function learn() {
        try {
            if (!lib) throw "Stemdock's library does not load. " + DOCTOR;
            const text = lib.dispatch("config", []);
            if (!text) throw "The extension is incomplete. " + INSTALL;
            const config = JSON.parse(text);
            const models = answer(config);
            if (!models.length) throw "No model is installed. Run in a terminal: plugin-cli models pull 2stems.";
            return { config: config, models: models, problem: "" };
        } catch (error) {
            return { config: null, models: [], problem: textOf(error) };
        }
    }

    function knowledge() {
        if (!known) known = learn();
        return known;
    }

    // ---- what the dialog asks for ------------------------------------------------------------------------------

    // The order, or { refusal: "…" }.
    function orderFrom(settings) {
        const now = knowledge();
        if (now.problem) return { refusal: now.problem };
        const model = now.models.filter(function (each) {
            return now.models.length === 1 || each.name === settings.model;
        })[0];
        if (!model) return { refusal: "This model is no longer installed. Open the dialog again, and choose a model." };
        if (!model.installed && !settings.download) {
            return {
                refusal: "The model " + model.name + " is not installed. It is downloaded once, about " + model.size +
                    " from " + model.source + ". To allow this, tick Download a missing model."
            };
        }
        const stems = [];
        model.stems.forEach(function (stem) { if (settings["stem-" + stem.name]) stems.push(stem.name); });
        if (!stems.length) {
            const names = model.stems.map(function (stem) { return stem.title; }).join(", ");
            return { refusal: "Choose at least one stem of the model " + model.name + ": " + names + "." };
        }
        const mixes = {};
        if (settings.remainder) {
            if (stems.length === model.stems.length) {
                return { refusal: "With all stems of " + model.name + " there is nothing else. Untick a stem, or Everything else." };
            }
            const name = stems.length === 1 ? "everything but " + stems[0] : "everything else";
            mixes[name] = ["mixture"].concat(stems.map(function (stem) { return "-" + stem; }));
        }
        return { refusal: "", model: model.name, stems: stems, mixes: mixes, gain: decibels(Number(settings.gain) || 0) };
    }

    // ---- the way of the audio ----------------------------------------------------------------------------------

    function show(step, fraction, text) {
        shown = { step: step, fraction: fraction, text: text };
    }

    // Calls turn() until it returns false. Now and then turn() gets a function that works on another thread and
    // gives a promise, so that Audacity can draw its window.
    function repeat(call, turn) {
        const later = lib.bindWorker(call);
        function now() { lib.dispatch(call, Array.prototype.slice.call(arguments)); return null; }
        function go() {
            for (let i = 0; i < CHUNKS_PER_TURN; ++i) {
                if (isCancelled) throw "cancelled";
                if (!turn(now)) return true;
            }
            const waiting = turn(later);
            return waiting ? waiting.then(go) : true;
        }
        return go();
    }

    function readPart(part, report) {
        const span = { start: part.first / part.rate, end: (part.first + part.length) / part.rate };
        const channels = part.track.channelCount;
        const reader = part.track.openReader(
            { channelCount: channels, sampleRate: part.rate, start: span.start, end: span.end });
        let done = 0;
        lib.dispatch("create", ["track-" + part.id + ".wav", part.rate, channels]);
        return Promise.resolve(repeat("write", function (write) {
            const chunk = reader.read(CHUNK);
            if (chunk === null) return false;
            done += chunk.sampleCount;
            report(done / part.length);
            const waiting = write.apply(null, buffersOf(chunk));
            if (!waiting) { chunk.release(); return true; }
            return waiting.then(function () { chunk.release(); });
        })).then(function () {
            lib.dispatch("finish", []);
            part.length = done;
        });
    }

    function insertStem(edit, part, source, stem, gain, report) {
        const name = stem.path.slice(Math.max(stem.path.lastIndexOf("/"), stem.path.lastIndexOf("\\")) + 1);
        const length = lib.dispatch("open", ["stems/" + name]);
        if (length !== part.length || source.sample_rate !== part.rate) {
            throw "The stem " + stem.name + " of " + part.name + " is incomplete. Start the separation again.";
        }
        const writer = edit.createAudioWriter({ channelCount: source.n_channels, sampleRate: part.rate });
        let chunk = writer.createChunk(Math.min(CHUNK, length));    // for all of them: it lives as long as the writer
        let done = 0;
        return Promise.resolve(repeat("read", function (read) {
            if (done === length) return false;
            if (length - done < chunk.sampleCount) chunk = writer.createChunk(length - done);
            done += chunk.sampleCount;
            report(done / length);
            const waiting = read.apply(null, [gain].concat(buffersOf(chunk)));
            if (!waiting) { writer.write(chunk); return true; }
            return waiting.then(function () { writer.write(chunk); });
        })).then(function () { placeTrack(writer, stem, part); });
    }

    // Does something with each of a list, one after the other. report(fraction) is about the whole list.
    function each(list, step, action) {
        let all = Promise.resolve();
        list.forEach(function (one, i) {
            all = all.then(function () {
                return action(one, function (fraction) { show(step, (i + fraction) / list.length, shown.text); });
            });
        });
        return all;
    }

    function resultOf() {
        const text = lib.dispatch("get", ["result.json"]);
        const result = text ? JSON.parse(text) : null;
        if (!result) throw "Stemdock ended without a result. " + DOCTOR;
        if (result.status === "cancelled") throw question || "cancelled";
        const faults = (result.error ? [result.error] : []).concat(
            (result.sources || []).map(function (source) { return source.error; }));
        faults.forEach(function (fault) { if (fault) throw fault.message + ". " + fault.hint; });
        return result;
    }

    function separate(edit, order, parts, config) {
        const folder = lib.dispatch("begin", [config.jobs]);
        show("reading", 0, "Reading the selection");
        return each(parts, "reading", readPart).then(function () {
            lib.dispatch("put", ["job.json", JSON.stringify(requestFor(config.protocol, folder, parts, order))]);
            if (mayDownload) lib.dispatch("put", ["download", ""]);
            show("working", 0, "Starting");
            const run = lib.bindWorker("run");
            return run.apply(null, [0].concat(config.program, ["work", folder]));
        }).then(function () {
            const result = resultOf();
            const stems = [];
            parts.forEach(function (part) {
                const source = result.sources.filter(function (one) { return one.id === part.id; })[0];
                source.stems.forEach(function (stem) { stems.push({ part: part, source: source, stem: stem }); });
            });
            show("inserting", 0, "Adding the tracks");
            return each(stems, "inserting", function (one, report) {
                return insertStem(edit, one.part, one.source, one.stem, order.gain, report);
            });
        }).then(function () {
            if (isCancelled) throw "cancelled";
            edit.commit();
            return true;
        });
    }

    function cancel() {
        isCancelled = true;
        lib.dispatch("cancel", []);
    }

    // ---- progress ----------------------------------------------------------------------------------------------

    function lookAtWorker() {
        const lines = (lib.dispatch("tail", ["progress.jsonl"]) || "").split("\n");
        if (lines.length < 2) return;
        const now = JSON.parse(lines[lines.length - 2]);            // the last line may be half there
        if (now.state === "asking" && !mayDownload) {
            question = now.text + " Open the dialog again, and tick Download a missing model.";
            lib.dispatch("cancel", []);
        }
        const percent = now.state === "fetching" ? ", " + Math.round(100 * now.fraction) + " %" : "";
        const rest = now.remaining === null ? "" : ", " + duration(now.remaining) + " left";
        show("working", now.state === "separating" ? now.fraction : 0, now.text + percent + rest);
    }

    function share() {
        const before = { reading: 0, working: SHARES.reading, inserting: SHARES.reading + SHARES.working };
        return before[shown.step] + SHARES[shown.step] * shown.fraction;
    }

    return {
        parameters: function () {
            known = null;
            const now = knowledge();
            if (now.problem) {
                // A dialog that says why, since no list of models would fit the settings of the last time.
                return [{ id: "problem", name: "Not ready", type: "bool", defaultValue: false, description: now.problem }];
            }
            const list = [];
            if (now.models.length > 1) {        // Audacity 4.0 refuses the settings of a list with one choice
                list.push({
                    id: "model", name: "Model", type: "enum", defaultValue: now.models[0].name,
                    description: "Models with an arrow are not installed; see Download a missing model",
                    choices: now.models.map(function (model) {
                        return { token: model.name, name: (model.installed ? "" : "\u2193 ") + model.name };
                    })
                });
            }
            const seen = {};
            now.models.forEach(function (model) {
                model.stems.forEach(function (stem) {
                    if (seen[stem.name]) return;
                    seen[stem.name] = true;
                    list.push({ id: "stem-" + stem.name, name: stem.title, type: "bool", defaultValue: true });
                });
            });
            list.push({ id: "remainder", name: "Everything else", type: "bool", defaultValue: false });
            list.push({ id: "gain", name: "Gain", unit: "dB", type: "double", defaultValue: 0, min: -24, max: 24, step: 0.5 });
            list.push({ id: "download", name: "Download a missing model", type: "bool", defaultValue: false });
            return list;
        },

        // There is no validate(): Audacity puts "[6] " before its messages. An Error would show the stack; a string
        // does not.
        process: function (settings, session) {
            const order = orderFrom(settings);
            if (order.refusal) return Promise.reject(order.refusal);
            isCancelled = false;
            question = "";
            mayDownload = Boolean(settings.download);
            const edit = Project.beginEdit("Separate stems", session);
            const parts = partsOf(edit.selection);
            if (!parts.length) return Promise.reject("The selection contains no audio. Select part of a track, and try again.");
            return Promise.resolve().then(function () {
                return separate(edit, order, parts, knowledge().config);
            }).then(function () {
                lib.dispatch("end", []);
                return true;
            }, function (error) {
                lib.dispatch("end", []);
                if (isCancelled) return false;
                throw question || textOf(error);
            });
        },

        poll: function (task) {
            if (!lib) return;
            try {
                if (shown.step === "working") lookAtWorker();
            } catch (error) {
                // A line that cannot be read; the next one follows soon.
            }
            if (!task.report(share(), shown.text) && !isCancelled) cancel();
        },

        destroy: function () { }
    };
};
