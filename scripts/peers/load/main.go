// peerload puts the same load on the servers that Carillon is compared with: so many callers at a time, each of which
// waits for its answer before it asks again. It prints one JSON object.
//
// scripts/bench-peers builds it, with the client libraries of the distribution.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"time"
)

// A request is sent and answered when it returns. Each belongs to one caller, who calls it again and again.
type request func() error

// A target is one kind of server.
type target interface {
	// prepare makes what the load is put into, where something has to be made; it can be called again.
	prepare() error
	// caller is called for each caller before the load begins.
	caller(number int) (request, error)
	// clear takes the load out again, where that is quick.
	clear() error
}

type settings struct {
	address string
	callers int
	// Clients that can carry many requests at a time share so many connections: to most of them that is an advantage.
	sockets  int
	batch    int
	payload  string
	replicas int
}

var targets = map[string]func(settings) target{
	"carillon":  newCarillon,
	"etcd":      newEtcd,
	"etcd-json": newEtcdJSON,
	"nats":      newNATS,
	"rabbitmq":  newRabbitMQ,
	"redis":     newRedis,
}

func targetNames() string {
	var names []string
	for name := range targets {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "peerload:", err)
	os.Exit(1)
}

func main() {
	var given settings
	to := flag.String("to", "", "one of "+targetNames())
	flag.StringVar(&given.address, "address", "", "HOST:PORT; with -strike of all members, with commas between")
	flag.IntVar(&given.callers, "connections", 64, "requests at a time")
	flag.IntVar(&given.sockets, "sockets", 16, "connections at most, where one carries many requests at a time")
	flag.IntVar(&given.batch, "batch", 1, "tasks in a request")
	flag.IntVar(&given.replicas, "replicas", 3, "of the stream or queue that is made")
	bytes := flag.Int("payload", 256, "bytes of a task")
	seconds := flag.Float64("seconds", 5, "to be measured")
	warmup := flag.Float64("warmup", 1, "seconds before that")
	prepare := flag.Bool("prepare", false, "only make what the load is put into")
	group := flag.Int("strike", 0, "kill this process group, the leader's, and tell how long nothing is acknowledged")
	flag.Parse()

	made, known := targets[*to]
	if !known {
		fail(fmt.Errorf("-to wants one of %s", targetNames()))
	}
	given.payload = randomText(*bytes)
	if *group != 0 {
		tell(struck(*to, given, *group))
		return
	}
	target := made(given)
	if err := target.prepare(); err != nil {
		fail(err)
	}
	if *prepare {
		return
	}
	callers := make([]request, given.callers)
	for number := range callers {
		caller, err := target.caller(number)
		if err != nil {
			fail(err)
		}
		callers[number] = caller
	}
	load := closedLoop{callers: callers, tasksPerRequest: given.batch, warmup: duration(*warmup), measured: duration(*seconds)}
	figures, err := load.run()
	if err == nil {
		err = target.clear()
	}
	tell(figures, err)
}

func struck(kind string, given settings, group int) (strikeFigures, error) {
	connect, known := attempts[kind]
	if !known {
		return strikeFigures{}, fmt.Errorf("%s can't be struck", kind)
	}
	members := strings.Split(given.address, ",")
	attempt, err := connect(given, members)
	if err != nil {
		return strikeFigures{}, err
	}
	return strike{members: len(members), attempt: attempt, group: group}.run()
}

// tell prints what was found, if it was.
func tell(figures interface{}, err error) {
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(figures)
	}
	if err != nil {
		fail(err)
	}
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}

// randomText does not get smaller where something compresses it.
func randomText(bytes int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	source := rand.New(rand.NewSource(time.Now().UnixNano()))
	text := make([]byte, bytes)
	for i := range text {
		text[i] = letters[source.Intn(len(letters))]
	}
	return string(text)
}
