package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/clientv3"
)

const dialTimeout = 5 * time.Second

// keys are new with every request, as identifiers of tasks are.
type keys struct {
	run  int64
	last int64
}

func newKeys() *keys { return &keys{run: time.Now().UnixNano()} }

func (k *keys) next() string {
	return fmt.Sprintf("/tasks/%x/%012d", k.run, atomic.AddInt64(&k.last, 1))
}

// etcd over gRPC: a put, or a transaction of many.
type etcd struct {
	settings
	keys    *keys
	clients []*clientv3.Client
}

func newEtcd(given settings) target { return &etcd{settings: given, keys: newKeys()} }

func (e *etcd) prepare() error { return nil }

func (e *etcd) caller(number int) (request, error) {
	if number < e.sockets {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.address}, DialTimeout: dialTimeout})
		if err != nil {
			return nil, err
		}
		e.clients = append(e.clients, client)
	}
	client := e.clients[number%len(e.clients)]
	if e.batch == 1 {
		return func() error {
			_, err := client.Put(context.Background(), e.keys.next(), e.payload)
			return err
		}, nil
	}
	return func() error {
		puts := make([]clientv3.Op, e.batch)
		for i := range puts {
			puts[i] = clientv3.OpPut(e.keys.next(), e.payload)
		}
		_, err := client.Txn(context.Background()).Then(puts...).Commit()
		return err
	}, nil
}

func (e *etcd) clear() error { return nil }
