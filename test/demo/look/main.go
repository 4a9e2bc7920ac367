// Command look shows what is in AWS after an install, in a few lines: how the
// bucket is protected, and what the role trusts and allows. It only reads, and
// finds AWS as every program with an AWS SDK does. It is the demo's.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "look:", err)
		os.Exit(1)
	}
}

// run takes the name of a bucket and, optionally, the ARN of a role.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("usage: look BUCKET [ROLE-ARN]")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if err := bucket(ctx, client, args[0], out); err != nil || len(args) == 1 {
		return err
	}
	return role(ctx, iam.NewFromConfig(cfg), args[1], out)
}

// bucket prints how a bucket is protected, how full it is, and whose it is.
func bucket(ctx context.Context, client *s3.Client, name string, out io.Writer) error {
	block, err := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &name})
	if err != nil {
		return err
	}
	encryption, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &name})
	if err != nil {
		return err
	}
	tags, err := client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name})
	if err != nil {
		return err
	}
	objects, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &name})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "bucket      %s, %d objects\n", name, len(objects.Contents))
	p := block.PublicAccessBlockConfiguration
	fmt.Fprintf(out, "public      acls blocked %t, ignored %t; policy blocked %t, restricted %t\n",
		*p.BlockPublicAcls, *p.IgnorePublicAcls, *p.BlockPublicPolicy, *p.RestrictPublicBuckets)
	for _, rule := range encryption.ServerSideEncryptionConfiguration.Rules {
		fmt.Fprintf(out, "encryption  %s\n", rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm)
	}
	for _, tag := range tags.TagSet {
		fmt.Fprintf(out, "tag         %s=%s\n", *tag.Key, *tag.Value)
	}
	return nil
}

// role prints whom a role trusts and what it allows.
func role(ctx context.Context, client *iam.Client, arn string, out io.Writer) error {
	name := arn[strings.LastIndex(arn, "/")+1:]
	got, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nrole        %s\n", *got.Role.Arn)
	if err := document("trusts", got.Role.AssumeRolePolicyDocument, out); err != nil {
		return err
	}
	policies, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil {
		return err
	}
	for _, policy := range policies.PolicyNames {
		inline, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &policy})
		if err != nil {
			return err
		}
		if err := document("allows", inline.PolicyDocument, out); err != nil {
			return err
		}
	}
	return nil
}

// statement is as much of a policy statement as there is to show. Action is a
// string or a list of strings.
type statement struct {
	Principal struct{ Federated string }
	Action    any
	Resource  string
	Condition map[string]map[string]string
}

// document prints a policy document; IAM hands them out URL-encoded.
func document(what string, encoded *string, out io.Writer) error {
	text, err := url.QueryUnescape(*encoded)
	if err != nil {
		return err
	}
	var policy struct{ Statement []statement }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return fmt.Errorf("what the role %s: %w", what, err)
	}
	for _, s := range policy.Statement {
		if s.Principal.Federated != "" {
			fmt.Fprintf(out, "%-10s  %s\n", what, s.Principal.Federated)
		} else {
			fmt.Fprintf(out, "%-10s  %s on %s\n", what, strings.Trim(fmt.Sprint(s.Action), "[]"), s.Resource)
		}
		for operator, pairs := range s.Condition {
			for _, key := range slices.Sorted(maps.Keys(pairs)) {
				fmt.Fprintf(out, "            if %s %s %s\n", key, operator, pairs[key])
			}
		}
	}
	return nil
}
