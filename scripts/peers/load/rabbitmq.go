package main

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

const queue = "tasks"

// RabbitMQ: a publication is done when the quorum queue has confirmed it; a batch, when all of it is. Each caller has a
// channel of its own.
type rabbitMQ struct {
	settings
	connections []*amqp.Connection
}

func newRabbitMQ(given settings) target { return &rabbitMQ{settings: given} }

func (r *rabbitMQ) url() string { return "amqp://guest:guest@" + r.address + "/" }

// prepare makes the queue, with its leader on the node that is asked.
func (r *rabbitMQ) prepare() error {
	connection, err := amqp.Dial(r.url())
	if err != nil {
		return err
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	_, err = channel.QueueDeclare(queue, true, false, false, false, amqp.Table{
		"x-queue-type": "quorum", "x-quorum-initial-group-size": int32(r.replicas),
	})
	return err
}

func (r *rabbitMQ) caller(number int) (request, error) {
	if number < r.sockets {
		connection, err := amqp.Dial(r.url())
		if err != nil {
			return nil, err
		}
		r.connections = append(r.connections, connection)
	}
	channel, err := r.connections[number%len(r.connections)].Channel()
	if err != nil {
		return nil, err
	}
	if err := channel.Confirm(false); err != nil {
		return nil, err
	}
	// Heard before anything is published: a deferred confirmation can be overtaken by its answer and lost (1.5).
	confirmations := channel.NotifyPublish(make(chan amqp.Confirmation, r.batch))
	message := amqp.Publishing{
		DeliveryMode: amqp.Persistent, Body: []byte(r.payload), ContentType: "application/octet-stream",
	}
	return func() error {
		for i := 0; i < r.batch; i++ {
			if err := channel.Publish("", queue, false, false, message); err != nil {
				return err
			}
		}
		for i := 0; i < r.batch; i++ {
			if confirmation, open := <-confirmations; !open || !confirmation.Ack {
				return fmt.Errorf("not confirmed")
			}
		}
		return nil
	}, nil
}

func (r *rabbitMQ) clear() error {
	channel, err := r.connections[0].Channel()
	if err != nil {
		return err
	}
	_, err = channel.QueuePurge(queue, false)
	return err
}
