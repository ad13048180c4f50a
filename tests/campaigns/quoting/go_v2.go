package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		c, err := config.LoadDefaultConfig(context.Background(), config.WithSharedConfigProfile(lines.Text()))
		if err == nil {
			_, err = c.Credentials.Retrieve(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, lines.Text(), err)
		}
	}
}
