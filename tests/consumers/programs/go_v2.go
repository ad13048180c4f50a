// The AWS SDK for Go v2, as old as Debian has it: it knows neither the token file nor AWS_ENDPOINT_URL_S3.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	client := s3.NewFromConfig(c, func(o *s3.Options) {
		o.UsePathStyle = true
		o.EndpointResolver = s3.EndpointResolverFromURL(os.Getenv("AWS_ENDPOINT_URL_S3"))
	})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err == nil {
			_, err = client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String(lines.Text())})
		}
		if err != nil {
			fmt.Println(">", strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Println("> ok")
		}
		err = nil
	}
}
