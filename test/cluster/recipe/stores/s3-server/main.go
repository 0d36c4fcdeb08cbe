// An S3 server in memory that checks signatures, for tests: s3-server -cert F -key F -bucket B -id ID -secret S
// It listens on a free port of loopback, prints the port, and ends with its standard input.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

func main() {
	cert := flag.String("cert", "", "certificate in PEM")
	key := flag.String("key", "", "its key in PEM")
	bucket := flag.String("bucket", "heads", "a bucket to begin with")
	id := flag.String("id", "", "access key id")
	secret := flag.String("secret", "", "secret access key")
	flag.Parse()

	backend := s3mem.New()
	must(backend.CreateBucket(context.Background(), *bucket))
	faker := gofakes3.New(backend, gofakes3.WithV4Auth(map[string]string{*id: *secret}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	must(http.ServeTLS(listener, faker.Server(), *cert, *key))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
