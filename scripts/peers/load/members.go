package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.etcd.io/etcd/clientv3"
)

// Attempts by the kind of server: how a task is written through any member of a cluster, of which one may just be dead.
var attempts = map[string]func(settings, []string) (attempt, error){
	"etcd":     etcdAttempt,
	"nats":     natsAttempt,
	"rabbitmq": rabbitMQAttempt,
}

func etcdAttempt(given settings, addresses []string) (attempt, error) {
	clients := make([]*clientv3.Client, len(addresses))
	for member, address := range addresses {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{address}})
		if err != nil {
			return nil, err
		}
		clients[member] = client
	}
	keys := newKeys()
	return func(limit context.Context, member int) error {
		_, err := clients[member].Put(limit, keys.next(), given.payload)
		return err
	}, nil
}

func natsAttempt(given settings, addresses []string) (attempt, error) {
	contexts := make([]nats.JetStreamContext, len(addresses))
	for member, address := range addresses {
		// Nothing is kept for later while a server is away: it is an error, and another one is tried.
		connection, err := nats.Connect("nats://"+address, nats.MaxReconnects(-1),
			nats.ReconnectWait(20*time.Millisecond), nats.DontRandomize(), nats.ReconnectBufSize(-1))
		if err != nil {
			return nil, err
		}
		if contexts[member], err = connection.JetStream(); err != nil {
			return nil, err
		}
	}
	payload := []byte(given.payload)
	return func(limit context.Context, member int) error {
		_, err := contexts[member].Publish(subject, payload, nats.Context(limit), nats.RetryAttempts(0))
		return err
	}, nil
}

// A confirmedChannel has at most one message that is not confirmed.
type confirmedChannel struct {
	channel       *amqp.Channel
	confirmations chan amqp.Confirmation
}

// A rabbitMember keeps channels for reuse, and dials again when its connection is broken.
type rabbitMember struct {
	address    string
	lock       sync.Mutex
	connection *amqp.Connection
	idle       []confirmedChannel
}

func (m *rabbitMember) take() (confirmedChannel, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.connection == nil || m.connection.IsClosed() {
		m.idle = nil
		connection, err := amqp.DialConfig("amqp://guest:guest@"+m.address+"/", amqp.Config{
			Heartbeat: 10 * time.Second, Locale: "en_US",
			Dial: func(network, address string) (net.Conn, error) {
				return net.DialTimeout(network, address, attemptLimit)
			},
		})
		if err != nil {
			return confirmedChannel{}, err
		}
		m.connection = connection
	}
	if count := len(m.idle); count > 0 {
		last := m.idle[count-1]
		m.idle = m.idle[:count-1]
		return last, nil
	}
	channel, err := m.connection.Channel()
	if err != nil {
		return confirmedChannel{}, err
	}
	if err := channel.Confirm(false); err != nil {
		return confirmedChannel{}, err
	}
	return confirmedChannel{channel, channel.NotifyPublish(make(chan amqp.Confirmation, 1))}, nil
}

func (m *rabbitMember) giveBack(channel confirmedChannel) {
	m.lock.Lock()
	m.idle = append(m.idle, channel)
	m.lock.Unlock()
}

func rabbitMQAttempt(given settings, addresses []string) (attempt, error) {
	members := make([]*rabbitMember, len(addresses))
	for member, address := range addresses {
		members[member] = &rabbitMember{address: address}
	}
	message := amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(given.payload)}
	return func(limit context.Context, member int) error {
		taken, err := members[member].take()
		if err != nil {
			return err
		}
		if err := taken.channel.Publish("", queue, false, false, message); err != nil {
			return err
		}
		select {
		case confirmation, open := <-taken.confirmations:
			if !open || !confirmation.Ack {
				return fmt.Errorf("not confirmed")
			}
			members[member].giveBack(taken)
			return nil
		case <-limit.Done():
			// Its confirmation may still come: nobody may take it for that of another message.
			go taken.channel.Close()
			return limit.Err()
		}
	}, nil
}
