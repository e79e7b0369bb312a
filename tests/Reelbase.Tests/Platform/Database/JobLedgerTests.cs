using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>No job gives back more than it took, whoever ends it and whatever support did to it before; a retry is paid for by us.</summary>
public sealed class JobLedgerTests(JobLedgerTests.ApiOnly system) : IClassFixture<JobLedgerTests.ApiOnly>
{
    /// <summary>Nobody but the test does the worker's part, and a guest may press twice.</summary>
    public sealed class ApiOnly : AdminSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Server:Roles:0"] = "api",
                ["Server:Roles:1"] = "api",
                ["Generation:GuestPerWindow"] = "2",
            };
    }

    private WorkerDatabase Worker => system.Server.Services.GetRequiredService<WorkerDatabase>();

    public static TheoryData<string, string, int> Stories()
    {
        var data = new TheoryData<string, string, int>();
        foreach (var stage in (string[])["queued", "submitted", "ambiguous", "fetching"])
        {
            foreach (var end in (string[])["fails", "is deleted", "is cancelled", "leaves with its user"])
            {
                data.Add(stage, end, 8);
                data.Add(stage, end, 3);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Stories))]
    public async Task A_job_that_support_refunded_gives_only_the_rest_back_when_it_ends(string stage, string end, int refunded)
    {
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, stage);
        var answer = await RefundAsync(phone, job, refunded);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(2 + refunded, await BalanceAsync(phone));
        switch (end)
        {
            case "is deleted":
                Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/delete-video-job", new { job_id = job })).Status);
                break;
            case "is cancelled":
                Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-cancel-job", new { job_id = job, reason = "the user asked" })).Status);
                break;
            case "leaves with its user":
                Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/delete-account", new { })).Status);
                break;
        }
        await FailAsync(job);
        Assert.Equal("failed|8|8", await JobAsync(job));
        Assert.Equal(10, await BalanceAsync(phone));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_refund_that_names_somebody_elses_job_waits_for_nobody()
    {
        var (one, other) = (await system.NewGuestAsync(), await system.NewGuestAsync());
        var job = await PressAsync(other, "queued");
        await using var connection = new NpgsqlConnection(system.Owner);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand($"select 1 from users where id = '{other.UserId}' for no key update", connection, transaction);
        await command.ExecuteScalarAsync();
        // Two that named each other's users would be a deadlock.
        Assert.Equal("ERR_4007", (await RefundAsync(one, job, 1).WaitAsync(Patience.Span)).Code);
    }

    [Fact]
    public async Task Support_gives_back_what_is_left_of_a_job_and_is_shown_the_figures_when_it_asks_for_more()
    {
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, "submitted");
        Assert.Equal(HttpStatusCode.OK, (await RefundAsync(phone, job, 3)).Status);
        var refused = await RefundAsync(phone, job, 6);
        Assert.Equal((HttpStatusCode.Conflict, "ERR_4012"), (refused.Status, refused.Code));
        Assert.Equal(
            """{"left": 5, "reason": "more_than_is_left", "charged": 8, "returned": 3}""",
            refused["error"].GetProperty("details").GetRawText().Replace(",", ", ", StringComparison.Ordinal).Replace(":", ": ", StringComparison.Ordinal)
        );
        // Twice is fine as long as something is left, also when many ask at once.
        var all = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => RefundAsync(phone, job, 5)));
        Assert.Equal(1, all.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.All(all.Where(answer => answer.Status != HttpStatusCode.OK), answer => Assert.Equal("ERR_4012", answer.Code));
        Assert.Equal(10, await BalanceAsync(phone));
        // A video that is delivered all the same stays refunded.
        await system.ExecuteAsync($"update video_jobs set status = 'completed', stage = 'finished', completed_at = now() where job_id = '{job}'");
        Assert.Equal("already_refunded", (await RefundAsync(phone, job, 1))["error"].GetProperty("details").GetProperty("reason").GetString());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task The_database_itself_refuses_a_job_that_gives_back_more_than_it_took()
    {
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, "submitted");
        // Failed, and nothing returned.
        await RefusedAsync($"update video_jobs set status = 'failed', stage = 'finished', completed_at = now() where job_id = '{job}'");
        await RefusedAsync($"select write_ledger('{phone.UserId}', 9, 'admin_refund', '{job}')");
        await system.ExecuteAsync($"select write_ledger('{phone.UserId}', 5, 'admin_refund', '{job}')");
        await RefusedAsync($"select write_ledger('{phone.UserId}', 4, 'generation_failed_refund', '{job}')");
        // Not even by hand, past every function.
        await RefusedAsync(
            $"begin; update users set credits_remaining = 11 where id = '{phone.UserId}'; insert into quota_log (user_id, job_id, change, reason, balance_after) values ('{phone.UserId}', '{job}', 4, 'admin_adjustment', 11); commit"
        );
        await FailAsync(job);
        Assert.Equal(10, await BalanceAsync(phone));
    }

    [Fact]
    public async Task A_job_whose_refund_is_in_the_log_already_still_ends()
    {
        // As an older backend left it: the refund written, the job not ended.
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, "ambiguous");
        await system.ExecuteAsync($"select write_ledger('{phone.UserId}', 8, 'generation_failed_refund', '{job}')");
        await FailAsync(job);
        Assert.Equal("failed|8|8", await JobAsync(job));
        Assert.Equal(10, await BalanceAsync(phone));
    }

    [Theory]
    [InlineData("fails")]
    [InlineData("is deleted")]
    [InlineData("is cancelled")]
    [InlineData("is completed")]
    public async Task Whatever_becomes_of_a_retry_the_balance_is_what_it_was(string end)
    {
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, "submitted");
        await FailAsync(job);
        for (var round = 0; round < 3; round++)
        {
            var key = Guid.NewGuid();
            var answer = await system.PostAsync("/admin-retry-job", new { job_id = job, reason = "our fault" }, key);
            Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
            Assert.Equal(answer.Text, (await system.PostAsync("/admin-retry-job", new { job_id = job, reason = "our fault" }, key)).Text);
            var retry = answer["job_id"].GetString()!;
            Assert.Equal(10, await BalanceAsync(phone));
            Assert.Equal(0, (await phone.GetAsync($"/get-video-status?job_id={retry}"))["credits_used"].GetInt32());
            switch (end)
            {
                case "is deleted":
                    await phone.PostAsync("/delete-video-job", new { job_id = retry });
                    break;
                case "is cancelled":
                    await system.PostAsync("/admin-cancel-job", new { job_id = retry, reason = "the user asked" });
                    break;
                case "is completed":
                    await system.ExecuteAsync($"update video_jobs set status = 'completed', stage = 'finished', completed_at = now() where job_id = '{retry}'");
                    break;
            }
            await FailAsync(retry);
            Assert.Equal("ERR_4012", (await RefundAsync(phone, retry, 1)).Code);
            Assert.Equal(10, await BalanceAsync(phone));
            Assert.Empty(await system.RowsAsync($"select * from quota_log where job_id = '{retry}'"));
            var shown = (await system.GetAsync($"/admin-get-job?job_id={retry}"))["job"];
            Assert.Equal((job, true), (shown.GetProperty("retry_of").GetString(), shown.GetProperty("paid_by_house").GetBoolean()));
        }
        // Retries are not presses: the second of two is still free.
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("The second press")).Status);
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("null")]
    [InlineData("\" \"")]
    [InlineData("\"null\"")]
    [InlineData("false")]
    [InlineData("0")]
    [InlineData("{}")]
    public async Task A_refund_whose_job_is_named_and_names_nothing_is_no_refund_without_a_job(string jobId)
    {
        var phone = await system.NewGuestAsync();
        var body = JsonDocument.Parse($$"""{"user_id": "{{phone.UserId}}", "amount": 5, "reason": "the video was black", "job_id": {{jobId}} }""").RootElement;
        var answer = await system.PostAsync("/admin-refund-credits", body, Guid.NewGuid());
        Assert.Equal((HttpStatusCode.BadRequest, "ERR_4000"), (answer.Status, answer.Code));
        Assert.Equal(10, await BalanceAsync(phone));
    }

    [Fact]
    public async Task Of_one_job_one_retry_is_in_flight_whatever_keys_and_retries_of_retries_ask()
    {
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, "queued");
        await FailAsync(job);
        Task<ApiResponse> RetryAsync(string of) => system.PostAsync("/admin-retry-job", new { job_id = of, reason = "our fault" }, Guid.NewGuid());
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => RetryAsync(job)));
        var made = Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK)["job_id"].GetString()!;
        Assert.All(
            answers.Where(answer => answer.Status != HttpStatusCode.OK),
            answer =>
            {
                Assert.Equal((HttpStatusCode.Conflict, "ERR_4012"), (answer.Status, answer.Code));
                var details = answer["error"].GetProperty("details");
                Assert.Equal(("retry_in_flight", made), (details.GetProperty("reason").GetString(), details.GetProperty("job_id").GetString()));
            }
        );
        // A retry that has failed is the same job's: retrying it and retrying the first one are one and the same.
        await FailAsync(made);
        var second = (await RetryAsync(made))["job_id"].GetString()!;
        Assert.Equal("ERR_4012", (await RetryAsync(job)).Code);
        await FailAsync(second);
        Assert.Equal(HttpStatusCode.OK, (await RetryAsync(job)).Status);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_user_below_zero_can_have_a_retry()
    {
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, "queued");
        await FailAsync(job);
        await system.ExecuteAsync($"select write_ledger('{phone.UserId}', -25, 'apple_refund')");
        var answer = await system.PostAsync("/admin-retry-job", new { job_id = job, reason = "our fault" }, Guid.NewGuid());
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        await FailAsync(answer["job_id"].GetString()!);
        Assert.Equal(-15, await BalanceAsync(phone));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_retry_asks_whether_the_provider_is_offered_as_a_press_does()
    {
        var phone = await system.NewGuestAsync();
        var job = await PressAsync(phone, "queued");
        await FailAsync(job);
        await system.ExecuteAsync(
            $"""
            update models set provider = 'elsewhere' where id = '{Catalog.ImageModel}';
            insert into provider_states (provider, is_configured) values ('elsewhere', false);
            update video_jobs set model_id = '{Catalog.ImageModel}' where job_id = '{job}'
            """
        );
        Assert.Equal("ERR_4002", (await system.PostAsync("/admin-retry-job", new { job_id = job, reason = "our fault" }, Guid.NewGuid())).Code);
        Assert.Empty(await system.RowsAsync($"select * from video_jobs where user_id = '{phone.UserId}' and job_id <> '{job}'"));
    }

    private async Task<string> PressAsync(Phone phone, string stage)
    {
        var answer = await phone.GenerateAsync("A job and its credits");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        var job = answer["job_id"].GetString()!;
        if (stage != "queued")
        {
            await system.ExecuteAsync($"update video_jobs set status = 'processing', stage = '{stage}' where job_id = '{job}'");
        }
        return job;
    }

    private Task<ApiResponse> RefundAsync(Phone phone, string job, int amount) =>
        system.PostAsync(
            "/admin-refund-credits",
            new
            {
                user_id = phone.UserId,
                amount,
                reason = "the video was black",
                job_id = job,
            },
            Guid.NewGuid()
        );

    /// <summary>What a worker that holds the job does when it is over.</summary>
    private async Task FailAsync(string job)
    {
        await system.ExecuteAsync(
            $"update video_jobs set leased_by = 'the test', lease_until = now() + interval '1 minute' where job_id = '{job}' and stage <> 'finished'"
        );
        await Worker.ExecuteAsync("select fail_video_job($1, 'the test', 'ERR_5002', 'm')", CancellationToken.None, Guid.Parse(job));
    }

    private Task<int> BalanceAsync(Phone phone) => system.QueryAsync<int>($"select credits_remaining from users where id = '{phone.UserId}'");

    private async Task<string> JobAsync(string job) =>
        (
            await system.RowsAsync(
                $"select status, (select -sum(change) from quota_log q where q.job_id = j.job_id and change < 0), (select sum(change) from quota_log q where q.job_id = j.job_id and change > 0) from video_jobs j where job_id = '{job}'"
            )
        )[0];

    private async Task RefusedAsync(string sql) =>
        Assert.Equal(PostgresErrorCodes.CheckViolation, (await Assert.ThrowsAsync<PostgresException>(() => system.ExecuteAsync(sql))).SqlState);
}
