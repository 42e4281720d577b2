package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
)

// An httpCaller has a connection of its own and writes its requests by hand: Go's client would take several times the
// processor time, which the servers need.
type httpCaller struct {
	socket net.Conn
	reader *bufio.Reader
	host   string
	text   bytes.Buffer
}

func dialHTTP(address string) (*httpCaller, error) {
	socket, err := net.DialTimeout("tcp", address, dialTimeout)
	if err != nil {
		return nil, err
	}
	return &httpCaller{socket: socket, reader: bufio.NewReaderSize(socket, 1<<16), host: address}, nil
}

func (c *httpCaller) post(path, fields string, body []byte) error {
	c.text.Reset()
	fmt.Fprintf(&c.text, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n",
		path, c.host, fields, len(body))
	c.text.Write(body)
	if _, err := c.socket.Write(c.text.Bytes()); err != nil {
		return err
	}
	reply, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if _, err := io.Copy(io.Discard, reply.Body); err != nil {
		return err
	}
	if reply.StatusCode/100 != 2 {
		return fmt.Errorf("status %d", reply.StatusCode)
	}
	return nil
}

// etcd's gateway from HTTP and JSON to gRPC.
type etcdJSON struct {
	settings
	keys *keys
}

func newEtcdJSON(given settings) target { return &etcdJSON{settings: given, keys: newKeys()} }

func (e *etcdJSON) prepare() error { return nil }

func (e *etcdJSON) caller(int) (request, error) {
	caller, err := dialHTTP(e.address)
	if err != nil {
		return nil, err
	}
	value := base64.StdEncoding.EncodeToString([]byte(e.payload))
	put := func() string {
		return `{"key":"` + base64.StdEncoding.EncodeToString([]byte(e.keys.next())) + `","value":"` + value + `"}`
	}
	if e.batch == 1 {
		return func() error { return caller.post("/v3/kv/put", "", []byte(put())) }, nil
	}
	return func() error {
		var body bytes.Buffer
		body.WriteString(`{"success":[`)
		for i := 0; i < e.batch; i++ {
			if i > 0 {
				body.WriteByte(',')
			}
			body.WriteString(`{"requestPut":` + put() + `}`)
		}
		body.WriteString(`]}`)
		return caller.post("/v3/kv/txn", "", body.Bytes())
	}, nil
}

func (e *etcdJSON) clear() error { return nil }

// Carillon by the same loader, to see what the loader is worth: tasks that are due in a day, as `carillon bench submit`
// makes them, and in the namespace that `carillon bench clean` removes.
type carillon struct{ settings }

func newCarillon(given settings) target { return &carillon{given} }

func (c *carillon) prepare() error { return nil }

func (c *carillon) caller(int) (request, error) {
	caller, err := dialHTTP(c.address)
	if err != nil {
		return nil, err
	}
	task := []byte(`{"handler":"echo","delay":"1d","payload":"` + c.payload + `"}`)
	body := task
	if c.batch > 1 {
		body = append([]byte{'['}, bytes.Join(repeated(task, c.batch), []byte{','})...)
		body = append(body, ']')
	}
	return func() error { return caller.post("/v1/tasks", "X-Carillon-Namespace: bench\r\n", body) }, nil
}

func (c *carillon) clear() error { return nil }

func repeated(text []byte, count int) [][]byte {
	all := make([][]byte, count)
	for i := range all {
		all[i] = text
	}
	return all
}
