using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>What became of each theme, as admins see it.</summary>
public sealed class ThemeStatisticsTests(AdminSystem system) : IClassFixture<AdminSystem>
{
    [Fact]
    public async Task Jobs_success_and_credits_of_a_theme_are_summed_and_counting_again_changes_nothing()
    {
        var phone = await system.NewGuestAsync(200);
        var theme = await system.QueryAsync<Guid>("select id from themes where is_available order by name limit 1");
        foreach (var prompt in new[] { "A boat", "A kite [fail]" })
        {
            var accepted = await phone.PostAsync("/generate-video", new { theme_id = theme, prompt }, Guid.NewGuid());
            Assert.True(accepted.Status == System.Net.HttpStatusCode.OK, accepted.Text);
            await phone.WatchAsync(accepted["job_id"].GetString()!);
        }
        var price = await system.QueryAsync<long>($"select sum(credits_charged) from video_jobs where theme_id = '{theme}'");
        for (var round = 0; round < 2; round++)
        {
            // One counts at a time; whoever comes meanwhile has counted nothing.
            await Eventually.IsAsync(() => system.QueryAsync<bool>("select count_hours(100) is not null"), isCounted => isCounted);
            var row = (await system.GetAsync("/admin-theme-stats?hours=24"))["rows"][0];
            Assert.Equal(
                (theme, 2L, 1L, 1L, "50.00", price, price / 2),
                (
                    row.GetProperty("theme_id").GetGuid(),
                    row.GetProperty("total_jobs").GetInt64(),
                    row.GetProperty("completed_jobs").GetInt64(),
                    row.GetProperty("failed_jobs").GetInt64(),
                    row.GetProperty("success_rate").GetString(),
                    row.GetProperty("credits_used").GetInt64(),
                    row.GetProperty("credits_returned").GetInt64()
                )
            );
        }
    }
}
