using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Reelbase.Server.Integrations;

namespace Reelbase.Tests.Conformance.Providers.Toy;

/// <summary>The toy vendor's protocol; its events are signed after the Standard Webhooks convention.</summary>
public sealed class ToyProvider(ToyOptions options, ProviderHttp http, TimeProvider clock) : IVideoProvider
{
    public string Name => "toy";

    public VideoProviderOptions Options => options;

    public bool HasWebhooks => options.WebhookSecrets.Length > 0;

    public Task<SubmitOutcome> SubmitAsync(GenerationInput input, string? webhookUrl, CancellationToken cancellationToken) =>
        http.SubmitAsync(
            Request(HttpMethod.Post, "/jobs"),
            new JsonObject
            {
                ["model"] = input.ProviderModelId,
                ["text"] = input.Prompt,
                ["seconds"] = input.Settings.Number("duration"),
                ["callback"] = webhookUrl,
            },
            answer =>
                answer.Status switch
                {
                    201 when answer.Json.Text("job") is { Length: > 0 and <= 200 } job => new SubmitOutcome.Accepted(job),
                    201 => new SubmitOutcome.Ambiguous("the answer names no job"),
                    401 or 403 => new SubmitOutcome.NotAccepted("the account is refused", IsOurFault: true),
                    429 or >= 500 => new SubmitOutcome.NotAccepted($"the submission answered {answer.Status}", answer.RetryAfterSeconds),
                    _ => new SubmitOutcome.Rejected(FailureKind.InputRefused, $"the submission answered {answer.Status}"),
                },
            cancellationToken
        );

    public async Task<PollOutcome> PollAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.SendAsync("status", Request(HttpMethod.Get, $"/jobs/{submission.ProviderJobId}"), cancellationToken);
            return answer.Status switch
            {
                200 => Read(answer.Json),
                _ => new PollOutcome.Unknown($"the job answered {answer.Status}", answer.Status is 401 or 403),
            };
        }
        catch (ProviderUnreachableException error)
        {
            return new PollOutcome.Unknown(error.Message);
        }
    }

    public async Task<bool> CancelAsync(SubmissionRef submission, CancellationToken cancellationToken)
    {
        try
        {
            return (await http.SendAsync("cancel", Request(HttpMethod.Delete, $"/jobs/{submission.ProviderJobId}"), cancellationToken)).IsSuccess;
        }
        catch (ProviderUnreachableException)
        {
            return false;
        }
    }

    public async Task<ProbeOutcome> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.SendAsync("probe", Request(HttpMethod.Get, "/jobs"), cancellationToken);
            return new(answer.IsSuccess, answer.Status is 401 or 403, $"the probe answered {answer.Status}");
        }
        catch (ProviderUnreachableException error)
        {
            return new(false, false, error.Message);
        }
    }

    public Task<InboundEvent> VerifyWebhookAsync(IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (StandardWebhooks.Verify(headers, body.Span, options.WebhookSecrets, clock.GetUtcNow()) is not { } id)
        {
            return Task.FromResult<InboundEvent>(new InboundEvent.Unproven());
        }
        try
        {
            using var document = JsonDocument.Parse(body);
            return Task.FromResult<InboundEvent>(
                document.RootElement.Text("job") is { } job ? new InboundEvent.Genuine(id, "job", job) : new InboundEvent.Unreadable("no_job")
            );
        }
        catch (JsonException)
        {
            return Task.FromResult<InboundEvent>(new InboundEvent.Unreadable("invalid_json"));
        }
    }

    public PollOutcome ReadWebhook(JsonElement payload) => Read(payload);

    private static PollOutcome Read(JsonElement job) =>
        job.Text("state") switch
        {
            "waiting" => new PollOutcome.Running(),
            "done" when job.Text("video") is { } video => new PollOutcome.Succeeded(video),
            "failed" => new PollOutcome.Failed(
                job.Text("reason") switch
                {
                    "content" => FailureKind.ContentRejected,
                    "input" => FailureKind.InputRefused,
                    "stopped" => FailureKind.Cancelled,
                    _ => FailureKind.Unavailable,
                },
                $"toy: {job.Text("reason")}"
            ),
            var other => new PollOutcome.Unknown($"the state is {other}"),
        };

    private HttpRequestMessage Request(HttpMethod method, string path) =>
        new(method, options.BaseUrl + path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey) } };
}
