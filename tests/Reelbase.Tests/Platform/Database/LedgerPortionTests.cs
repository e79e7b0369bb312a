using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>The check of the ledger and the log of errors: each reads and writes its portion and no more.</summary>
public sealed class LedgerPortionTests(TestSystem system) : IClassFixture<TestSystem>
{
    [Fact]
    public async Task Ledgers_are_verified_a_portion_of_users_at_a_time_and_every_problem_is_found_once()
    {
        var phones = await Task.WhenAll(Enumerable.Range(0, 7).Select(_ => system.NewGuestAsync()));
        await system.ExecuteAsync(
            $"""
            alter table users disable trigger users_balance_matches_ledger;
            update users set credits_remaining = 11 where id in ('{phones[1].UserId}', '{phones[5].UserId}');
            alter table users enable trigger users_balance_matches_ledger;
            """
        );
        try
        {
            var found = new List<string>();
            var (users, portions) = (0, 0);
            for (string? after = "null"; after is not null; portions++)
            {
                var row = Assert
                    .Single(await system.RowsAsync($"select coalesce(last_user_id::text, ''), users, problems from verify_ledger({after}, 3)"))
                    .Split('|');
                users += int.Parse(row[1], System.Globalization.CultureInfo.InvariantCulture);
                Assert.True(int.Parse(row[1], System.Globalization.CultureInfo.InvariantCulture) <= 3);
                using var problems = System.Text.Json.JsonDocument.Parse(row[2]);
                found.AddRange(problems.RootElement.EnumerateArray().Select(problem => problem.GetProperty("user_id").GetString()!));
                after = row[0].Length == 0 ? null : $"'{row[0]}'";
            }
            Assert.Equal(await system.QueryAsync<long>("select count(*) from users"), users);
            Assert.True(portions >= 3);
            string[] expected = [phones[1].UserId.ToString(), phones[5].UserId.ToString()];
            Assert.Equal(expected.Order(), found.Order());
            Assert.Equal(expected.Order(), (await system.RowsAsync("select user_id from check_ledger()")).Order());
            Assert.Equal(["2"], await system.RowsAsync("select mismatches from check_books(10000)"));
        }
        finally
        {
            await system.ExecuteAsync(
                $"""
                alter table users disable trigger users_balance_matches_ledger;
                update users set credits_remaining = 10 where id in ('{phones[1].UserId}', '{phones[5].UserId}');
                alter table users enable trigger users_balance_matches_ledger;
                """
            );
        }
    }

    [Fact]
    public async Task A_check_that_broke_off_goes_on_where_it_was_and_only_for_its_holder()
    {
        await system.ExecuteAsync("insert into schedules (name, last_finished_at) values ('a_walk', now() - interval '2 days')");
        Assert.True(await system.QueryAsync<bool>("select claim_schedule('a_walk', 'one', 60, now())"));
        Assert.True(await system.QueryAsync<bool>("""select renew_schedule('a_walk', 'one', 60, '{"after":"x"}')"""));
        Assert.False(await system.QueryAsync<bool>("""select renew_schedule('a_walk', 'two', 60, '{"after":"y"}')"""));
        await system.ExecuteAsync("select release_schedule('a_walk', 'one', 'the disk is full')");
        Assert.False(await system.QueryAsync<bool>("""select renew_schedule('a_walk', 'one', 60, '{"after":"z"}')"""));
        Assert.True(await system.QueryAsync<bool>("select claim_schedule('a_walk', 'two', 60, now())"));
        Assert.Equal(["x"], await system.RowsAsync("select progress ->> 'after' from get_schedule_run('a_walk', 'two')"));
        // What is asked for while it is done is done after it.
        await system.ExecuteAsync("""select internal.request_schedule('a_walk', '{"force":true}'); select finish_schedule('a_walk', 'two', '{}')""");
        Assert.True(await system.QueryAsync<bool>("select claim_schedule('a_walk', 'three', 60, now() - interval '1 day')"));
        Assert.Equal(["|true"], await system.RowsAsync("select progress ->> 'after', request ->> 'force' from get_schedule_run('a_walk', 'three')"));
    }

    [Fact]
    public async Task A_flood_of_errors_is_a_sample_of_rows_and_every_one_is_counted()
    {
        const string Route = "/flooded";
        foreach (var batch in Enumerable.Range(0, 20))
        {
            // Ten thousand from one address, and four hundred addresses beside it.
            await system.ExecuteAsync(
                $$"""
                select log_errors((select jsonb_agg(jsonb_build_object('error_code', 'ERR_4005', 'endpoint', '{{Route}}', 'trace_id', 't' || n, 'address',
                  case when n <= 500 then '10.0.0.1' else '10.1.' || ({{batch}} * 20 + n - 500) || '.1' end)) from generate_series(1, 520) n))
                """
            );
        }
        Assert.Equal(
            ["100|10400"],
            await system.RowsAsync($"select count(*), sum(occurrences) from error_log where endpoint = '{Route}' and error_code = 'ERR_4005'")
        );
        // Another code, or another route, has rows of its own.
        await system.ExecuteAsync($$"""select log_errors('[{"error_code":"ERR_6001","endpoint":"{{Route}}","occurrences":3}]')""");
        Assert.Equal(
            ["1|3"],
            await system.RowsAsync($"select count(*), sum(occurrences) from error_log where endpoint = '{Route}' and error_code = 'ERR_6001'")
        );
    }

    [Fact]
    public async Task A_flood_of_requests_leaves_few_rows_and_loses_no_number()
    {
        using var nobody = system.Anybody();
        var before = await system.QueryAsync<long>("select coalesce(sum(occurrences), 0)::bigint from error_log where endpoint = '/get-user-credits'");
        for (var round = 0; round < 10; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => nobody.GetAsync("/get-user-credits")));
        }
        await Eventually.IsAsync(
            () => system.QueryAsync<long>("select coalesce(sum(occurrences), 0)::bigint from error_log where endpoint = '/get-user-credits'"),
            count => count == before + 500
        );
        Assert.InRange(await system.QueryAsync<long>("select count(*) from error_log where endpoint = '/get-user-credits'"), 1, 20);
    }
}
