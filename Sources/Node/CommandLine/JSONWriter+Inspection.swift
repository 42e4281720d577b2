import Raft

extension JSONWriter {
    mutating func put(_ inspection: Inspection, _ listing: LogListing?) {
        beginObject()
        field("path", inspection.path)
        field("sound", inspection.isSound)
        if let identity = inspection.identity {
            field("cluster", identity.cluster)
            field("node", identity.node)
            field("directory", String(identity.directory, radix: 16))
            field("incarnation", identity.incarnation)
        }
        if let log = inspection.log { put(log) }
        putSegments(inspection.segments)
        field("spareSegments", UInt64(inspection.spareCount))
        putSnapshots(inspection.snapshots)
        if let torn = inspection.tornWrite {
            key("tornWrite")
            beginObject()
            field("path", torn.path)
            field("offset", UInt64(torn.range.lowerBound))
            field("bytes", UInt64(torn.range.count))
            endObject()
        }
        key("damages")
        beginArray()
        for damage in inspection.damages {
            beginObject()
            field("path", damage.path)
            field("offset", damage.offset)
            field("problem", damage.problem)
            field("consequence", damage.consequence)
            endObject()
        }
        endArray()
        if let refusal = inspection.refusal { field("refused", refusal.description) }
        if let listing { putLines(listing.lines) }
        endObject()
    }

    private mutating func put(_ log: Recovered) {
        key("hardState")
        beginObject()
        field("term", log.hardState.term)
        if let vote = log.hardState.vote { field("vote", vote.description) }
        endObject()
        key("snapshotMark")
        beginObject()
        field("index", log.snapshot.index)
        field("term", log.snapshot.term)
        endObject()
        field("firstIndex", log.snapshot.index + 1)
        field("lastIndex", log.entries.last?.index ?? log.snapshot.index)
        key("lost")
        beginArray()
        for entry in log.entries where entry.payload == .lost {
            beginObject()
            field("index", entry.index)
            field("term", entry.term)
            endObject()
        }
        endArray()
    }

    private mutating func putSegments(_ segments: [Inspection.Segment]) {
        key("segments")
        beginArray()
        for segment in segments {
            beginObject()
            field("name", segment.name)
            field("bytes", UInt64(segment.sizeBytes))
            field("usedBytes", UInt64(segment.usedBytes))
            if let entries = segment.entries {
                field("firstIndex", entries.lowerBound)
                field("lastIndex", entries.upperBound)
            }
            field("sealed", segment.isSealed)
            endObject()
        }
        endArray()
    }

    private mutating func putSnapshots(_ snapshots: [Inspection.Snapshot]) {
        key("snapshots")
        beginArray()
        for snapshot in snapshots {
            beginObject()
            field("name", snapshot.name)
            field("bytes", UInt64(snapshot.sizeBytes))
            field("verdict", snapshot.verdict.name)
            endObject()
        }
        endArray()
    }

    private mutating func putLines(_ lines: [LogListing.Line]) {
        key("records")
        beginArray()
        for line in lines {
            beginObject()
            field("segment", line.segment)
            field("batchOffset", UInt64(line.offset))
            field("kind", line.kind)
            if let index = line.index { field("index", index) }
            if let term = line.term { field("term", term) }
            if let bytes = line.payloadBytes { field("payloadBytes", UInt64(bytes)) }
            if let detail = line.detail { field("detail", detail) }
            endObject()
        }
        endArray()
    }
}
