import Foundation
import Testing

@testable import Node

extension ProcessTests {
    struct RetentionProcessTests {
        @Test
        func `tasks go when their time is up, by how they ended, and the leader's file counts`()
            throws
        {
            let round = try ContractRound(
                sections: #""retention": {"succeeded": "0s", "dead": "1h"}"#)
            let good = try round.submit(#"{"handler": "echo"}"#, key: "good")
            let bad = try round.submit(#"{"handler": "fail", "retry": {"attempts": 1}}"#)
            try round.await("dead", bad)
            for _ in 0..<3 {
                try eventually("it is not kept") {
                    try round.next.send("GET", "/v1/tasks/\(good)").status == 404
                }
            }
            let forgotten = try round.call(
                "POST", "/v1/tasks", #"{"handler": "echo"}"#, key: "good")
            #expect(forgotten.shown("id") == good && forgotten["state"]?.isNull == true)
            for _ in 0..<3 { #expect(try round.call("GET", "/v1/tasks/\(bad)").state == "dead") }

            let cluster = round.cluster
            try cluster.kill(cluster.ids)
            try cluster.configure(#""retention": {"succeeded": "1h", "dead": "0s"}"#)
            try cluster.startAll()
            try eventually("the dead one goes by the new rule") {
                try round.next.send("GET", "/v1/tasks/\(bad)").status == 404
            }
            let kept = try round.submit(#"{"handler": "echo"}"#)
            try round.await("succeeded", kept)
            let alsoBad = try round.submit(#"{"handler": "fail", "retry": {"attempts": 1}}"#)
            try eventually("the next one follows") {
                try round.next.send("GET", "/v1/tasks/\(alsoBad)").status == 404
            }
            try round.call("GET", "/v1/tasks/\(kept)")
        }
    }
}
