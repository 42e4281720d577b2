package main

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	stream        = "TASKS"
	subject       = "tasks.a"
	longestAnswer = 10 * time.Second
	longestStart  = 30 * time.Second
)

// NATS JetStream: a publication is done when the stream has acknowledged it; a batch, when all of it is.
type natsTarget struct {
	settings
	connections []*nats.Conn
}

func newNATS(given settings) target { return &natsTarget{settings: given} }

// prepare makes the stream, which servers that have just been started can't at once.
func (n *natsTarget) prepare() error {
	wanted := &nats.StreamConfig{
		Name: stream, Subjects: []string{"tasks.>"}, Replicas: n.replicas,
		Storage: nats.FileStorage, Retention: nats.WorkQueuePolicy,
	}
	connection, err := nats.Connect("nats://" + n.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	for end := time.Now().Add(longestStart); ; time.Sleep(100 * time.Millisecond) {
		var context nats.JetStreamContext
		if context, err = connection.JetStream(); err == nil {
			_, err = context.AddStream(wanted)
		}
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

func (n *natsTarget) caller(number int) (request, error) {
	if number < n.sockets {
		connection, err := nats.Connect("nats://"+n.address, nats.NoReconnect())
		if err != nil {
			return nil, err
		}
		n.connections = append(n.connections, connection)
	}
	// A context of its own has acknowledgements of its own. Those of one batch may still be counted when the next begins.
	context, err := n.connections[number%len(n.connections)].JetStream(
		nats.MaxWait(longestAnswer), nats.PublishAsyncMaxPending(2*n.batch))
	if err != nil {
		return nil, err
	}
	payload := []byte(n.payload)
	if n.batch == 1 {
		return func() error { _, err := context.Publish(subject, payload); return err }, nil
	}
	return func() error {
		acknowledgements := make([]nats.PubAckFuture, n.batch)
		for i := range acknowledgements {
			acknowledgement, err := context.PublishAsync(subject, payload)
			if err != nil {
				return err
			}
			acknowledgements[i] = acknowledgement
		}
		limit := time.NewTimer(longestAnswer)
		defer limit.Stop()
		for _, acknowledgement := range acknowledgements {
			select {
			case <-acknowledgement.Ok():
			case err := <-acknowledgement.Err():
				return err
			case <-limit.C:
				return fmt.Errorf("not acknowledged in %v", longestAnswer)
			}
		}
		return nil
	}, nil
}

func (n *natsTarget) clear() error {
	context, err := n.connections[0].JetStream(nats.MaxWait(longestAnswer))
	if err != nil {
		return err
	}
	return context.PurgeStream(stream)
}
