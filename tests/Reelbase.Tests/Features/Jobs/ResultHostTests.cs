using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A provider that begins to serve its videos from another host: the operator learns of it at once, and one model does not burn job after job.</summary>
public sealed class ResultHostTests : IAsyncLifetime
{
    private readonly TestSystem _system = new();

    public ValueTask InitializeAsync() => _system.InitializeAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task The_first_result_on_another_host_is_alerted_with_host_and_setting()
    {
        await UtcTime.SameDayAsync();
        var phone = await _system.NewGuestAsync();
        await FailAsync(phone, "[elsewhere] One");
        var alert = Assert.Single(await _system.RowsAsync("select kind, message from alerts"));
        Assert.StartsWith("result_host|", alert, StringComparison.Ordinal);
        Assert.Contains("media.elsewhere.example", alert, StringComparison.Ordinal);
        Assert.DoesNotContain("media.elsewhere.example.", alert, StringComparison.Ordinal);
        Assert.Contains("Fal:MediaHosts", alert, StringComparison.Ordinal);
        // More of the same on the same day is no news.
        await FailAsync(phone, "[elsewhere] Two");
        Assert.Single(await _system.RowsAsync("select kind from alerts"));
        Assert.Equal(10, await phone.CreditsAsync());
        await _system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Three_users_in_a_row_pause_the_model_and_those_in_the_queue_wait()
    {
        var phones = new List<Phone>();
        for (var number = 0; number < 4; number++)
        {
            phones.Add(await _system.NewGuestAsync(100));
        }
        await FailAsync(phones[0], "[elsewhere] One");
        // The same user again, a redirect, another model: none of them counts.
        await FailAsync(phones[0], "[elsewhere] Once more");
        await FailAsync(phones[1], "[redirect-elsewhere] Moved");
        await FailAsync(phones[2], "[elsewhere] Another model", "a0000000-0000-4000-8000-000000000003");
        await FailAsync(phones[1], "[elsewhere] Two");
        Assert.True(await IsAvailableAsync());
        // A video that came breaks the row.
        Assert.Equal("completed", (await phones[3].GenerateAndWatchAsync("All is well")).GetProperty("status").GetString());
        await FailAsync(phones[0], "[elsewhere] One");
        await FailAsync(phones[1], "[elsewhere] Two");
        Assert.True(await IsAvailableAsync());

        // One that waits in the queue when the third comes.
        var waiting = await _system.QueryAsync<Guid>(
            $"""
            insert into video_jobs (job_id, user_id, model_id, prompt, credits_used, provider, created_at, run_after, deadline_at)
            values (gen_random_uuid(), '{phones[
                3
            ].UserId}', '{Catalog.FastModel}', 'I wait', 0, 'fal', now(), now() + interval '5 minutes', now() + interval '10 minutes')
            returning job_id
            """
        );
        await FailAsync(phones[2], "[elsewhere] Three");
        Assert.Equal(
            ["False|True"],
            await _system.RowsAsync(
                $"select is_available, paused_reason like '%media.elsewhere.example%' and paused_at <= now() from models where id = '{Catalog.FastModel}'"
            )
        );
        Assert.Contains(
            await _system.RowsAsync("select kind, message from alerts"),
            alert => alert.StartsWith("model_paused|Veo 3.1 Fast", StringComparison.Ordinal)
        );
        Assert.Equal("ERR_4002", (await phones[3].GenerateAsync("Not offered")).Code);
        Assert.True(await _system.QueryAsync<bool>($"select run_after = deadline_at from video_jobs where job_id = '{waiting}'"));
        foreach (var phone in phones.Take(3))
        {
            Assert.Equal(100, await phone.CreditsAsync());
        }
        await _system.AssertLedgerAsync();

        // The operator has put the host into the setting and switches the model on.
        await _system.ExecuteAsync($"update models set is_available = true where id = '{Catalog.FastModel}'");
        Assert.Equal(["|"], await _system.RowsAsync($"select paused_reason, paused_at from models where id = '{Catalog.FastModel}'"));
        Assert.Equal("completed", (await phones[3].WatchAsync(waiting.ToString()))[^1].GetProperty("status").GetString());
        await FailAsync(phones[0], "[elsewhere] Again one");
        Assert.True(await IsAvailableAsync());
    }

    private static async Task FailAsync(Phone phone, string prompt, string model = Catalog.FastModel)
    {
        var accepted = await phone.PostAsync("/generate-video", new { model_id = model, prompt }, Guid.NewGuid());
        Assert.True(accepted.Status == System.Net.HttpStatusCode.OK, accepted.Text);
        var last = (await phone.WatchAsync(accepted["job_id"].GetString()!))[^1];
        Assert.Equal(("failed", "ERR_5002"), (last.GetProperty("status").GetString(), last.GetProperty("error_code").GetString()));
    }

    private Task<bool> IsAvailableAsync() => _system.QueryAsync<bool>($"select is_available from models where id = '{Catalog.FastModel}'");
}
