package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// AWSControl orders what AWS does to the requests of the user and of pods
// (never to those of the ACK stand-in or of Bed's own clients, unless named),
// and tells what was asked.
type AWSControl struct {
	endpoint string
	process  *process
}

// AWSRequest is one request AWS saw.
type AWSRequest struct {
	Service   string `json:"service"`   // iam, sts, s3
	Operation string `json:"operation"` // HeadBucket
	Action    string `json:"action"`    // s3:ListBucket
	Method    string `json:"method"`
	Resource  string `json:"resource"` // an ARN, or *
	// Principal is admin (the user of Bed.Env), app (a pod's role), controller
	// (ACK), helper (Bed's clients), anonymous or other.
	Principal string `json:"principal"`
	// Caller is the ARN of the user or session, on a bed with Options.Enforce.
	Caller    string `json:"caller"`
	UserAgent string `json:"userAgent"`
	// Attempt is 2 and more where the SDK tries again what had no answer.
	Attempt int `json:"attempt"`
	Status  int `json:"status"`
}

// Again reports whether the SDK made this request anew because the one before
// came to nothing: on a busy machine a connection may break by itself.
func (r AWSRequest) Again() bool { return r.Attempt > 1 }

// Fault is an answer AWS gives instead of the right one.
type Fault struct {
	// Action is an IAM action or an operation, with wildcards: "iam:*",
	// "s3:ListBucket", "s3:HeadBucket".
	Action string `json:"action"`
	// Principal narrows it to one (AWSRequest.Principal), or widens it to
	// "any"; empty: everybody but controller and helper.
	Principal string `json:"principal,omitempty"`
	// Resource narrows it to an ARN, with wildcards; empty: any. Tests that share
	// a bed order faults for their own role and bucket by it.
	Resource string `json:"resource,omitempty"`
	// Agent narrows it to a user agent, with wildcards; empty: any. The app's is
	// "*app/ostoy *".
	Agent string `json:"agent,omitempty"`
	// Code, Message and Status of the error; without a Code it is AWS's
	// AccessDenied.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Status  int    `json:"status,omitempty"`
	// Count is how often; 0: until Reset.
	Count int `json:"count,omitempty"`
}

// Deny refuses the actions with AccessDenied until Reset or the next Deny.
func (c *AWSControl) Deny(ctx context.Context, actions ...string) error {
	if actions == nil {
		actions = []string{}
	}
	return c.order(ctx, "deny", actions)
}

// DenyFor refuses the actions of one principal: "controller" is ACK, "app" are
// the pods. It replaces earlier refusals.
func (c *AWSControl) DenyFor(ctx context.Context, principal string, actions ...string) error {
	faults := []Fault{}
	for _, action := range actions {
		faults = append(faults, Fault{Action: action, Principal: principal})
	}
	return c.order(ctx, "deny", faults)
}

// Fail adds a fault with an error code of its own.
func (c *AWSControl) Fail(ctx context.Context, fault Fault) error {
	if fault.Code == "" {
		return errors.New("a fault needs a code; Deny is for AccessDenied")
	}
	return c.order(ctx, "fail", fault)
}

// Throttle answers the next count IAM requests with Throttling.
func (c *AWSControl) Throttle(ctx context.Context, count int) error {
	return c.order(ctx, "throttle", count)
}

// Delay makes every request take that much longer.
func (c *AWSControl) Delay(ctx context.Context, d time.Duration) error {
	return c.order(ctx, "delay", d.Seconds())
}

// Reset takes back refusals, faults and delays. Data and log stay.
func (c *AWSControl) Reset(ctx context.Context) error { return c.order(ctx, "reset", nil) }

// ResetLog empties the log.
func (c *AWSControl) ResetLog(ctx context.Context) error { return c.order(ctx, "reset-log", nil) }

// Log returns the requests since the last ResetLog, oldest first. With
// principals only theirs: Log(ctx, "admin") are those of the user.
func (c *AWSControl) Log(ctx context.Context, principals ...string) ([]AWSRequest, error) {
	text, err := c.send(ctx, http.MethodGet, "log", nil)
	if err != nil {
		return nil, err
	}
	var all, some []AWSRequest
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	for _, request := range all {
		for _, principal := range principals {
			if request.Principal == principal {
				some = append(some, request)
			}
		}
	}
	if len(principals) == 0 {
		return all, nil
	}
	return some, nil
}

func (c *AWSControl) order(ctx context.Context, name string, argument any) error {
	body, err := json.Marshal(argument)
	if err != nil {
		return err
	}
	_, err = c.send(ctx, http.MethodPost, name, body)
	return err
}

func (c *AWSControl) send(ctx context.Context, method, name string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint+"/testbed/"+name, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("test bed order %s: %s: %s", name, response.Status, text)
	}
	return text, err
}
