/// A stored task with parameters. To the state machine its body is bytes: the node that takes a request in expands it.
///
/// ```
/// template  name string · body blob · createdAt i64 · updatedAt i64
/// ```
struct TemplateRecord: Equatable, Sendable {
    let name: String
    var body: [UInt8]
    let createdAt: Milliseconds
    var updatedAt: Milliseconds

    init(name: String, body: [UInt8], at now: Milliseconds) {
        self.name = name
        self.body = body
        createdAt = now
        updatedAt = now
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(name)
        writer.put(body)
        writer.put(createdAt)
        writer.put(updatedAt)
    }

    init(from reader: inout ByteReader) throws(CodecError) {
        name = try reader.name("template")
        body = try reader.templateBody()
        createdAt = try reader.instant("creation time")
        updatedAt = try reader.instant("change")
    }
}

/// Templates in the byte order of their names.
struct TemplateTable: Sendable {
    private(set) var records: [TemplateRecord] = []

    var count: Int { records.count }

    subscript(place: Int) -> TemplateRecord {
        get { records[place] }
        set { records[place] = newValue }
    }

    func place(of name: String) -> Int? {
        let place = firstPlace(from: name)
        return place < records.count && records[place].name == name ? place : nil
    }

    /// There is no template of that name.
    mutating func insert(_ record: TemplateRecord) {
        records.insert(record, at: firstPlace(from: record.name))
    }

    mutating func remove(at place: Int) { records.remove(at: place) }

    /// The place of the first name that is not before `name`.
    private func firstPlace(from name: String) -> Int {
        var low = 0
        var high = records.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(records[middle].name, name) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(UInt32(records.count))
        for record in records { record.encode(into: &writer) }
    }

    init() {}

    init(from reader: inout ByteReader) throws(CodecError) {
        for _ in 0..<(try reader.count(minimumBytes: 24)) {
            let record = try TemplateRecord(from: &reader)
            guard records.last.map({ isBefore($0.name, record.name) }) ?? true else {
                throw CodecError("templates are not in order")
            }
            records.append(record)
        }
    }
}

extension ByteReader {
    mutating func templateBody() throws(CodecError) -> [UInt8] {
        let body = try blob()
        guard body.count <= Limits.maxTemplateBytes else {
            throw CodecError("a template of \(body.count) bytes is too large")
        }
        return body
    }
}
