package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go/aws/session"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		s, err := session.NewSessionWithOptions(session.Options{Profile: lines.Text(), SharedConfigState: session.SharedConfigEnable})
		if err == nil {
			_, err = s.Config.Credentials.Get()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, lines.Text(), err)
		}
	}
}
