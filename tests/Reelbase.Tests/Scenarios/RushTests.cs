using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>Many at once: what races would break.</summary>
[Collection(SharedProduct.Name)]
public sealed class RushTests(TestSystem system)
{
    [Fact]
    public async Task Fifty_clients_press_generate_with_credits_for_ten_and_exactly_ten_are_accepted()
    {
        var phone = await system.NewGuestAsync(80);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => phone.GenerateAsync($"Rush {number}")));
        Assert.Equal(10, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Equal(40, answers.Count(answer => answer.Status == HttpStatusCode.PaymentRequired && answer.Code == "ERR_4001"));
        Assert.Equal(0, await phone.CreditsAsync());
        Assert.Equal(10, await system.QueryAsync<long>($"select count(*) from video_jobs where user_id = '{phone.UserId}'"));
        Assert.Equal(
            10,
            await system.QueryAsync<long>($"select count(*) from quota_log where user_id = '{phone.UserId}' and reason = 'video_generation' and change = -8")
        );
        Assert.Equal(
            Enumerable.Range(1, 10).Select(step => $"{80 - (8 * step)}"),
            await system.RowsAsync($"select balance_after from quota_log where user_id = '{phone.UserId}' and reason = 'video_generation' order by seq")
        );
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task One_key_sent_a_hundred_times_with_its_fields_in_any_order_is_one_job_and_a_hundred_equal_answers()
    {
        var phone = await system.NewGuestAsync(80);
        var key = Guid.NewGuid().ToString();
        string[] bodies =
        [
            $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"Once","settings":{"duration":8,"resolution":"720p"} }""",
            $$"""{"settings":{"resolution":"720p","duration":8},"prompt":"Once","model_id":"{{Catalog.FastModel}}" }""",
            $$"""{"prompt":"Once","user_id":"{{phone.UserId}}","settings":{"duration":8,"resolution":"720p"},"model_id":"{{Catalog.FastModel.ToUpperInvariant()}}" }""",
        ];
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 100)
                .Select(number => phone.PostTextAsync("/generate-video", bodies[number % bodies.Length], number % 2 == 0 ? key : key.ToUpperInvariant()))
        );
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Equal(99, answers.Count(answer => answer.Raw.Headers.Contains("X-Idempotent-Replay")));
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from video_jobs where user_id = '{phone.UserId}'"));
        Assert.Equal(72, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Fifty_device_checks_of_one_physical_device_under_fifty_ids_make_one_grant()
    {
        var device = "shared-" + Guid.NewGuid();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Phone.CheckAsync(system.Url, Guid.NewGuid().ToString(), Phone.TokenOf(device))));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        var ids = string.Join(',', answers.Select(answer => $"'{answer["user_id"]}'"));
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from device_grants where user_id in ({ids}) and decided_at is null"),
            open => open == 0
        );
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from quota_log where user_id in ({ids}) and reason = 'initial_grant'"));
        Assert.Equal(10, await system.QueryAsync<long>($"select sum(credits_remaining) from users where id in ({ids})"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Fifty_device_checks_of_one_installation_at_once_are_one_user_and_one_grant()
    {
        var id = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Phone.CheckAsync(system.Url, id, Phone.TokenOf(id))));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        var user = Assert.Single(answers.Select(answer => answer["user_id"].GetGuid()).Distinct());
        Assert.Equal(1, answers.Count(answer => answer["is_new"].GetBoolean()));
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from quota_log where user_id = '{user}'"), rows => rows == 1);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_limit_of_ten_lets_exactly_ten_of_forty_pass()
    {
        var phone = await system.NewGuestAsync(1000);
        var allowed = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(_ => system.RowsAsync($"select (check_rate_limit('rush', '{phone.UserId}', null, 10, 3600)).allowed"))
        );
        Assert.Equal(10, allowed.Count(rows => rows[0] == "True"));
    }

    [Fact]
    public async Task A_job_is_deleted_by_many_at_once_and_refunded_once()
    {
        var phone = await system.NewGuestAsync(80);
        await using var outage = await system.OutageAsync("fal", "down");
        var job = (await phone.GenerateAsync("Deleted by many"))["job_id"].GetString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => phone.PostTextAsync("/delete-video-job", $$"""{"job_id":"{{job}}" }""")));
        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers, answer => Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.NotFound, answer.Text));
        await Eventually.IsAsync(phone.CreditsAsync, credits => credits == 80);
        await outage.EndAsync();
        Assert.Equal(1, await system.QueryAsync<long>($"select count(*) from quota_log where job_id = '{job}' and reason = 'generation_failed_refund'"));
        await system.AssertLedgerAsync();
    }
}
