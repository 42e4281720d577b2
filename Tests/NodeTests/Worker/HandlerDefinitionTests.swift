import Testing

@testable import Node

@Suite struct HandlerDefinitionTests {
    private func read(_ text: String, name: String = "h") throws -> (HandlerDefinition?, [String]) {
        var reader = JSONReader(try JSONDocument(text).root)
        let definition = HandlerDefinition(name: name, &reader)
        reader.finish()
        return (definition, reader.problems.map(\.description))
    }

    @Test func readsCommands() throws {
        let (definition, problems) = try read(#"{"command":["tool","--x",""],"timeout":"30s"}"#)
        #expect(problems == [])
        #expect(
            definition
                == .command(
                    CommandHandler(arguments: ["tool", "--x", ""], timeoutMilliseconds: 30_000)))
        #expect(definition?.timeoutMilliseconds == 30_000)
    }

    @Test func readsRequests() throws {
        let (definition, problems) = try read(
            #"{"http":{"url":"https://h/{{payload.c}}","headers":{"X-Task":"{{task.id}}"},"body":"{{payload}}"}}"#
        )
        #expect(problems == [])
        guard case .http(let http)? = definition else {
            Issue.record("no request")
            return
        }
        #expect(http.method == "POST")
        #expect(http.headers.map(\.name) == ["X-Task"])
        #expect(http.body?.isJSON == true)
    }

    @Test(arguments: [
        ("{}", "either"), (#"{"command":["a"],"http":{"url":"http://h"}}"#, "either"),
        (#"{"command":[]}"#, "executable"), (#"{"command":[""]}"#, "executable"),
        (#"{"command":["a","\u0000"]}"#, "NUL"), (#"{"command":"a"}"#, "expected an array"),
        (#"{"command":["a"],"timeout":"0s"}"#, "/timeout"),
        (#"{"comand":["a"]}"#, "did you mean \"command\""),
        (#"{"http":{}}"#, "/http/url: is required"),
        (#"{"http":{"url":"ftp://h"}}"#, "must begin with http"),
        (#"{"http":{"url":"{{payload.url}}"}}"#, "must begin with http"),
        (#"{"http":{"url":"http://h","method":"BREW"}}"#, "/http/method"),
        (#"{"http":{"url":"http://h","method":"GET","body":"x"}}"#, "GET has no body"),
        (#"{"http":{"url":"http://h","headers":{"a b":"x"}}}"#, "name of a header"),
        (#"{"http":{"url":"http://h","headers":{"Host":"x"}}}"#, "worker itself"),
        (#"{"http":{"url":"http://h","headers":{"A":"x\ny"}}}"#, "control character"),
        (#"{"http":{"url":"http://h","body":"{{x}}"}}"#, "{{x}} is not known"),
        (#"{"command":["a"],"batch":{}}"#, "/batch/max: is required"),
        (#"{"command":["a"],"batch":{"max":1}}"#, "/batch/max"),
        (#"{"command":["a"],"batch":{"max":2,"linger":"2m"}}"#, "/batch/linger"),
        (#"{"http":{"url":"http://h","method":"GET"},"batch":{"max":2}}"#, "method with a body"),
        (#"{"http":{"url":"http://h/{{task.id}}"},"batch":{"max":2}}"#, "fills nothing in"),
        (#"{"http":{"url":"http://h","body":"x"},"batch":{"max":2}}"#, "is its tasks"),
        (
            #"{"http":{"url":"http://h","headers":{"A":"{{task.id}}"}},"batch":{"max":2}}"#,
            "fills nothing in"
        ),
    ])
    func saysWhatIsWrong(text: String, part: String) throws {
        let (definition, problems) = try read(text)
        #expect(problems.contains { $0.contains(part) }, "\(problems)")
        if !text.contains("comand") { #expect(definition == nil) }
    }

    @Test func readsBatches() throws {
        let (command, _) = try read(#"{"command":["a"],"batch":{"max":100,"linger":"50ms"}}"#)
        #expect(command?.batch == BatchSpec(maxCount: 100, lingerMilliseconds: 50))
        let (http, _) = try read(#"{"http":{"url":"http://h"},"batch":{"max":2}}"#)
        #expect(http?.batch == BatchSpec(maxCount: 2, lingerMilliseconds: 20))
        let (alone, _) = try read(#"{"command":["a"]}"#)
        #expect(alone?.batch == nil)
    }

    @Test(arguments: ["echo", "webhook"]) func builtInNamesAreTaken(name: String) throws {
        let (_, problems) = try read(#"{"command":["a"]}"#, name: name)
        #expect(problems.contains { $0.contains("built in") })
    }
}
