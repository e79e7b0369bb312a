using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Simulators.Fal;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A signed event is kept as the bytes that came, beside what the database can hold of it, and works whatever it repeats of a prompt.</summary>
public sealed class InboundBytesTests(InboundBytesTests.Installation system) : IClassFixture<InboundBytesTests.Installation>
{
    /// <summary>Polling is so far away that only webhooks can end a job.</summary>
    public sealed class Installation : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new() { ["Generation:PollWithWebhookSeconds"] = "300", ["Generation:MaxPollSeconds"] = "300" };
    }

    [Theory]
    [InlineData("""{"prompt": "C:\\u0000dir"}""", """{"prompt": "C:\\u0000dir"}""")]
    [InlineData("""{"prompt": "C:\\\u0000dir"}""", """{"prompt": "C:\\\ufffddir"}""")]
    [InlineData("""{"prompt": "a \u0000 b"}""", """{"prompt": "a \ufffd b"}""")]
    [InlineData("""{"prompt": "cut \ud83d"}""", """{"prompt": "cut \ufffd"}""")]
    [InlineData("""{"prompt": "cut \ud83d\n"}""", """{"prompt": "cut \ufffd\n"}""")]
    [InlineData("""{"prompt": "\ude00\ud83d"}""", """{"prompt": "\ufffd\ufffd"}""")]
    [InlineData("""{"prompt": "\ud83d\ud83d\ude00"}""", """{"prompt": "\ufffd😀"}""")]
    [InlineData("""{"prompt": "whole \uD83D\uDE00 \u00e9 é"}""", """{"prompt": "whole 😀 é é"}""")]
    [InlineData("""{"a\u0000b": 1, "\ud800": 2}""", """{"a\ufffdb": 1, "\ufffd": 2}""")]
    [InlineData("""{"seed": 1e200000}""", """{"seed": "1e200000"}""")]
    [InlineData("""{"seed": -1E-200000}""", """{"seed": "-1E-200000"}""")]
    [InlineData("""{"seed": [0e99999999999, 12, -0.5e+2, "1e200000"]}""", """{"seed": ["0e99999999999", 12, -50, "1e200000"]}""")]
    public async Task A_signed_event_is_stored_and_handled_whatever_it_repeats(string echo, string stored)
    {
        var (phone, request, job) = await RunningAsync();
        var body =
            $"{{\"request_id\": \"{request.Id}\", \"status\": \"OK\", \"error\": null, \"payload\": {{\"video\": {{\"url\": \"{request.FileUrl}\"}}}}, \"echo\": {echo}}}";
        using var answer = await SendAsync(request, body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("completed", (await phone.WatchAsync(job))[^1].GetProperty("status").GetString());
        Assert.True(await system.QueryAsync<bool>($"select payload -> 'echo' = '{stored}'::jsonb from webhook_deliveries where job_id = '{job}'"));
        Assert.Equal(Encoding.UTF8.GetBytes(body), await system.QueryAsync<byte[]>($"select raw_body from webhook_deliveries where job_id = '{job}'"));
    }

    [Fact]
    public async Task An_ambiguous_submission_keeps_its_video_whatever_its_webhook_repeats()
    {
        var phone = await system.NewGuestAsync();
        var accepted = await phone.GenerateAsync("[timeout] [odd-echo] A story");
        Assert.Equal("completed", (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1].GetProperty("status").GetString());
        Assert.Single(await system.SubmissionsAsync("[timeout] [odd-echo] A story"));
        Assert.Equal(2, await phone.CreditsAsync());
    }

    [Theory]
    [InlineData("<html>", "invalid_json")]
    [InlineData("", "invalid_json")]
    [InlineData("{\"request_id\": \"ID\", \"status\": ", "invalid_json")]
    [InlineData("[]", "no_request_id")]
    [InlineData("{}", "no_request_id")]
    [InlineData("{\"request_id\": 7}", "no_request_id")]
    [InlineData("{\"request_id\": \"\\ud83d\"}", "no_request_id")]
    public async Task A_signed_body_that_cannot_be_read_is_400_and_with_a_bad_signature_401(string body, string reason)
    {
        var (_, request, job) = await RunningAsync();
        body = body.Replace("ID", request.Id, StringComparison.Ordinal);
        using var signed = await SendAsync(request, body);
        var answer = await ApiResponse.ReadAsync(signed);
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4000"), (answer.Status, answer.Code));
        Assert.Equal(reason, answer["error"].GetProperty("details").GetProperty("reason").GetString());
        using var forged = await SendAsync(request, body, "forged");
        Assert.Equal(HttpStatusCode.Unauthorized, forged.StatusCode);
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from webhook_deliveries where job_id = '{job}'"));
    }

    [Fact]
    public async Task The_bytes_go_with_what_was_read_from_them()
    {
        var (phone, request, job) = await RunningAsync();
        var body = $"{{\"request_id\": \"{request.Id}\", \"status\": \"OK\", \"payload\": {{\"video\": {{\"url\": \"{request.FileUrl}\"}}}}}}";
        (await SendAsync(request, body)).Dispose();
        await phone.WatchAsync(job);
        var left = $"select count(*) from webhook_deliveries where job_id = '{job}' and raw_body is not null";
        Assert.Equal(1L, await system.QueryAsync<long>(left));
        using var deleted = await phone.Http.DeleteAsync($"/delete-video-job?job_id={job}");
        await system.ExecuteAsync($"update webhook_deliveries set payload = null where job_id = '{job}'");
        Assert.Equal(0L, await system.QueryAsync<long>(left));
        // Nothing can put them back.
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() =>
            system.ExecuteAsync($"update webhook_deliveries set raw_body = '\\x00' where job_id = '{job}'")
        );
    }

    private async Task<(Phone Phone, FalRequest Request, string JobId)> RunningAsync()
    {
        var phone = await system.NewGuestAsync();
        var prompt = $"Running {Guid.NewGuid():N} [slow 250] [no-webhook]";
        var job = (await phone.GenerateAsync(prompt))["job_id"].GetString()!;
        await Eventually.IsAsync(() => system.RowsAsync($"select stage from video_jobs where job_id = '{job}'"), rows => rows is ["submitted"]);
        return (phone, system.Simulators.Services.GetRequiredService<FalState>().Requests.Values.Single(request => request.Prompt == prompt), job);
    }

    private async Task<HttpResponseMessage> SendAsync(FalRequest request, string body, string variant = "true")
    {
        using var http = new HttpClient();
        using var message = system.Simulators.Services.GetRequiredService<FalWebhooks>().Sign(request.WebhookUrl!, request.Id, body, variant);
        return await http.SendAsync(message);
    }
}
