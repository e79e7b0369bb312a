using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>The sliding window that every limit is counted in.</summary>
[Quick]
public sealed class LimitTests(SqlDatabase database)
{
    // Calls at seconds from now (the past), each written as the seconds and what it must answer.
    [Theory]
    [InlineData(3, 60, "", "yes 2, yes 1, yes 0, no 0, no 0")]
    [InlineData(0, 60, "", "no 0")]
    [InlineData(1, 60, "", "yes 0, no 0")]
    // What lies before the window counts no more; what lies in it does.
    [InlineData(3, 60, "-61 -90 -3600", "yes 2, yes 1, yes 0, no 0")]
    [InlineData(3, 60, "-50 -61", "yes 1, yes 0, no 0")]
    [InlineData(3, 60, "-10 -20 -30", "no 0, no 0")]
    [InlineData(2, 3600, "-3590 -3601", "yes 0, no 0")]
    // More than the limit was used while it was higher.
    [InlineData(2, 60, "-1 -2 -3 -4", "no 0")]
    [InlineData(null, 60, "-1 -2 -3 -4", "yes, yes, yes")]
    public async Task A_window_holds_as_many_as_its_limit(int? limit, int seconds, string before, string expected)
    {
        foreach (var isByUser in new[] { true, false })
        {
            await using var db = await database.BeginAsync();
            object user = isByUser ? await db.NewUserAsync() : DBNull.Value;
            object address = isByUser ? DBNull.Value : "203.0.113.7";
            foreach (var ago in before.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                await db.RunAsync(
                    "insert into rate_limit_log (action, user_id, ip_address, created_at) values ('case', $1::uuid, $2::inet, clock_timestamp() + $3::interval)",
                    user,
                    address,
                    ago + " seconds"
                );
            }
            var answers = new List<string>();
            foreach (var _ in expected.Split(','))
            {
                answers.AddRange(
                    await db.RowsAsync(
                        "select case when allowed then 'yes' else 'no' end || coalesce(' ' || remaining, '') from check_rate_limit('case', $1::uuid, $2::inet, $3::integer, $4)",
                        user,
                        address,
                        (object?)limit ?? DBNull.Value,
                        seconds
                    )
                );
            }
            Assert.Equal(expected, string.Join(", ", answers));
        }
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7", true)]
    [InlineData("203.0.113.7", "203.0.113.8", false)]
    [InlineData("2001:db8:1:1::1", "2001:db8:1:1:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:1::1", "2001:db8:1:2::1", false)]
    public async Task An_address_is_its_network(string one, string other, bool isSame)
    {
        await using var db = await database.BeginAsync();
        Assert.True(await db.ValueAsync<bool>("select allowed from check_rate_limit('case', null, $1, 1, 60)", one));
        Assert.Equal(!isSame, await db.ValueAsync<bool>("select allowed from check_rate_limit('case', null, $1, 1, 60)", other));
        // Another action is another window.
        Assert.True(await db.ValueAsync<bool>("select allowed from check_rate_limit('another', null, $1, 1, 60)", one));
    }

    [Theory]
    [InlineData(-1, 60)]
    [InlineData(1, 0)]
    public async Task A_limit_that_makes_no_sense_is_refused(int limit, int seconds)
    {
        await using var db = await database.BeginAsync();
        Assert.Equal("P0001", await db.RefusalAsync("select check_rate_limit('case', null, '203.0.113.7', $1, $2)", limit, seconds));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Many_at_once_never_pass_more_than_the_limit(bool isByUser)
    {
        const int limit = 10;
        Guid user;
        await using (var db = await database.BeginAsync())
        {
            user = await db.NewUserAsync();
            await db.CommitAsync();
        }
        var address = $"2001:db8:{Random.Shared.Next(0x10000):x}:{Random.Shared.Next(0x10000):x}::1";
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(async _ =>
                {
                    await using var db = await database.BeginAsync();
                    var isAllowed = await db.ValueAsync<bool>(
                        "select allowed from check_rate_limit('crowd', $1::uuid, $2::inet, $3, 3600)",
                        isByUser ? user : DBNull.Value,
                        isByUser ? DBNull.Value : address,
                        limit
                    );
                    await db.CommitAsync();
                    return isAllowed;
                })
        );
        Assert.Equal(limit, answers.Count(isAllowed => isAllowed));
    }
}
