using System.Net;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A press by a phone whose guest was merged away: it is the account's, and locks the account alone.</summary>
[Collection(SharedProduct.Name)]
public sealed class MergedPressTests(TestSystem system)
{
    [Fact]
    public async Task The_row_of_a_guest_who_was_merged_before_is_not_locked()
    {
        var guest = await system.NewGuestAsync();
        var account = await system.NewGuestAsync();
        await system.ExecuteAsync(
            $"begin; select internal.lock_account('{guest.UserId}'); select internal.lock_account('{account.UserId}'); select internal.merge_accounts('{guest.UserId}', '{account.UserId}'); commit"
        );
        // Whoever merges the account further holds it, and writes this row last: a press that held the row would wait for the account with it.
        await using var other = new NpgsqlConnection(system.Owner);
        await other.OpenAsync();
        await using (var held = new NpgsqlCommand($"begin; select id from users where id = '{guest.UserId}' for update", other))
        {
            await held.ExecuteNonQueryAsync();
        }
        var accepted = await guest.GenerateAsync("Pressed by the phone of a guest who is part of somebody");
        Assert.True(accepted.Status == HttpStatusCode.OK, accepted.Text);
        await using (var free = new NpgsqlCommand("rollback", other))
        {
            await free.ExecuteNonQueryAsync();
        }
        Assert.Equal(account.UserId, await system.QueryAsync<Guid>($"select user_id from video_jobs where job_id = '{accepted["job_id"]}'"));
        await system.AssertLedgerAsync();
    }
}
