/// The way back: answers, given in any order, leave in the order of the requests (RFC 9112 9.3.2).
extension HTTPConnection {
    private func index(of sequence: UInt64) -> Int? {
        guard sequence >= firstSequence else { return nil }
        let index = sequence - firstSequence
        return index < exchanges.count ? Int(index) : nil
    }

    func setOnClose(_ sequence: UInt64, _ onClose: (() -> Void)?) {
        guard let index = index(of: sequence) else { return }
        exchanges[index].onClose = onClose
    }

    func complete(_ sequence: UInt64, _ response: HTTPResponse) {
        guard let index = index(of: sequence) else { return }
        exchanges[index].answer = .ready(response)
        exchanges[index].onClose = nil
        if index == 0 {
            advance()
        } else if heldBytes > limits.maxHeldAnswerBytes {
            abort()
        }
    }

    private var heldBytes: Int {
        exchanges.reduce(0) { sum, exchange in
            guard case .ready(let response) = exchange.answer else { return sum }
            return sum + response.body.count
        }
    }

    func beginStream(_ sequence: UInt64, _ response: HTTPResponse) {
        guard let index = index(of: sequence) else { return }
        var bytes: [UInt8] = []
        if exchanges[index].isVersion10 { exchanges[index].closes = true }
        appendHead(of: response, isStream: true, for: exchanges[index], to: &bytes)
        exchanges[index].answer = .stream(bytes: bytes, isEnded: false)
        if index == 0 { advance() }
    }

    /// Bytes that the client has not taken, of this answer and of those before it.
    func queuedBytes(of sequence: UInt64) -> Int {
        guard let index = index(of: sequence), case .stream(let bytes, _) = exchanges[index].answer
        else { return queuedBytes }
        return queuedBytes + bytes.count
    }

    /// False if the client is too far behind; nothing was written then.
    func writeStream(_ sequence: UInt64, _ chunk: [UInt8]) -> Bool {
        guard let index = index(of: sequence) else { return false }
        guard !chunk.isEmpty, !exchanges[index].isHead else { return true }
        guard case .stream(var bytes, let isEnded) = exchanges[index].answer else { return false }
        let waiting = bytes.count + (index == 0 ? connection.queuedBytes : 0)
        guard waiting + chunk.count <= limits.maxStreamQueueBytes else { return false }
        let isChunked = !exchanges[index].isVersion10
        if index == 0 {
            connection.write { buffer in
                if isChunked {
                    HTTPWriter.append(chunk: chunk, to: &buffer)
                } else {
                    buffer.append(contentsOf: chunk)
                }
            }
        } else {
            // Taken out first, so that appending does not copy what is there.
            exchanges[index].answer = .awaited
            if isChunked {
                HTTPWriter.append(chunk: chunk, to: &bytes)
            } else {
                bytes.append(contentsOf: chunk)
            }
            exchanges[index].answer = .stream(bytes: bytes, isEnded: isEnded)
        }
        return true
    }

    func endStream(_ sequence: UInt64) {
        guard let index = index(of: sequence),
            case .stream(let bytes, false) = exchanges[index].answer
        else { return }
        exchanges[index].answer = .stream(bytes: bytes, isEnded: true)
        exchanges[index].onClose = nil
        if index == 0 { advance() }
    }

    /// Ends the connection in the middle of a streamed answer: its receiver sees that it is cut short.
    func abort() {
        guard !connection.isClosed else { return }
        connection.close()
        tearDown()
    }

    /// Nil if the client went away.
    func upgrade(
        _ sequence: UInt64, headers: [(name: String, value: String)]
    ) -> HTTPUpgrade? {
        guard case .upgradePending = phase, index(of: sequence) == 0 else { return nil }
        let date = server.date
        connection.write { buffer in
            HTTPWriter.append(
                status: 101, contentType: nil,
                headers: headers + [(name: "connection", value: "upgrade")], framing: .none,
                closes: false, keepsAlive10: false, date: date, to: &buffer)
        }
        exchanges.removeFirst()
        firstSequence += 1
        let upgrade = HTTPUpgrade(connection: self)
        phase = .upgraded(upgrade)
        connection.clearDeadline()
        connection.resumeReading()
        return upgrade
    }

    /// Sends what is ready at the head of the line.
    func advance() {
        while !exchanges.isEmpty {
            if case .awaited = exchanges[0].answer { break }
            let isLast = exchanges.count == 1
            if isLast && server.isDraining { exchanges[0].closes = true }
            switch exchanges[0].answer {
            case .awaited:
                return
            case .ready(let response):
                send(response, for: exchanges[0])
            case .stream(let bytes, let isEnded):
                connection.write(bytes)
                exchanges[0].answer = .stream(bytes: [], isEnded: isEnded)
                guard isEnded else { return }
                if !exchanges[0].isVersion10 && !exchanges[0].isHead {
                    connection.write { $0.append(literal: "0\r\n\r\n") }
                }
            }
            let done = exchanges.removeFirst()
            firstSequence += 1
            if done.closes {
                finish(lingering: done.lingers)
                return
            }
        }
        resumeRequests()
    }

    private func resumeRequests() {
        if exchanges.isEmpty {
            sendContinue()
            if case .upgradePending = phase {
                // The handler declined: it goes on as plain HTTP.
                phase = .head
                connection.resumeReading()
            }
        }
        if isPaused && exchanges.count < limits.maxPipelinedRequests {
            isPaused = false
            connection.resumeReading()
        }
        updateDeadline()
    }

    private func send(_ response: HTTPResponse, for exchange: HTTPExchange) {
        let isLarge = response.body.count >= OutputQueue.minUncopiedBytes
        connection.write { buffer in
            appendHead(of: response, isStream: false, for: exchange, to: &buffer)
            if !exchange.isHead && !isLarge { buffer.append(contentsOf: response.body) }
        }
        if isLarge && !exchange.isHead { connection.write(response.body) }
    }

    private func appendHead(
        of response: HTTPResponse, isStream: Bool, for exchange: HTTPExchange,
        to buffer: inout [UInt8]
    ) {
        let framing: HTTPWriter.Framing
        if response.status == 204 || response.status == 304 || response.status < 200 {
            precondition(response.body.isEmpty && !isStream, "such an answer has no body")
            framing = .none
        } else if isStream {
            framing = exchange.isVersion10 ? .close : .chunked
        } else {
            framing = .length(response.body.count)
        }
        HTTPWriter.append(
            status: response.status, contentType: response.contentType, headers: response.headers,
            framing: framing, closes: exchange.closes,
            keepsAlive10: exchange.isVersion10 && !exchange.closes, date: server.date, to: &buffer)
    }
}
