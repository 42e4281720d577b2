package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
)

const list = "tasks"

// Redis: LPUSH, or a pipeline of many. Its protocol is simple enough to need no client.
type redis struct{ settings }

func newRedis(given settings) target { return &redis{given} }

func (r *redis) prepare() error { return nil }

func (r *redis) caller(int) (request, error) {
	one := command("LPUSH", list, r.payload)
	return r.asker(bytes.Repeat(one, r.batch), r.batch)
}

func (r *redis) clear() error {
	ask, err := r.asker(command("DEL", list), 1)
	if err != nil {
		return err
	}
	return ask()
}

// asker has a connection of its own.
func (r *redis) asker(text []byte, replies int) (request, error) {
	socket, err := net.DialTimeout("tcp", r.address, dialTimeout)
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(socket, 1<<16)
	return func() error {
		if _, err := socket.Write(text); err != nil {
			return err
		}
		for i := 0; i < replies; i++ {
			line, err := reader.ReadSlice('\n')
			if err != nil {
				return err
			}
			if line[0] != ':' {
				return fmt.Errorf("%s", bytes.TrimSpace(line))
			}
		}
		return nil
	}, nil
}

func command(words ...string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&text, "$%d\r\n%s\r\n", len(word), word)
	}
	return text.Bytes()
}
