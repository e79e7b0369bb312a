namespace Reelbase.Tests.Support;

/// <summary>What a test makes go wrong, until the test is over.</summary>
public partial class TestSystem
{
    /// <summary>Makes an outside system misbehave until the test says that it is over, or ends.</summary>
    public async Task<Planted> OutageAsync(string system, string kind)
    {
        await SetAsync(
            "outage",
            new
            {
                system,
                seconds = 3600,
                kind,
            }
        );
        return new(() =>
            SetAsync(
                "outage",
                new
                {
                    system,
                    seconds = 0,
                    kind,
                }
            )
        );
    }

    /// <summary>A fault of the pretend App Store's next calls whose path has this in it; by default of all of them until it is over.</summary>
    public async Task<Planted> FaultAsync(string kind, string path, int count = 1000)
    {
        await SetAsync(
            "appstore/faults",
            new
            {
                kind,
                path,
                count,
            }
        );
        return new(() =>
            SetAsync(
                "appstore/faults",
                new
                {
                    kind,
                    path,
                    count = 0,
                }
            )
        );
    }

    /// <summary>Puts the clock of DeviceCheck ahead, and lets it find so many of our tokens too old.</summary>
    public async Task<Planted> DeviceCheckMoodAsync(double clockSeconds, int expired)
    {
        await SetAsync("devicecheck/mood", new { clock_seconds = clockSeconds, expired });
        return new(() => SetAsync("devicecheck/mood", new { clock_seconds = 0.0, expired = 0 }));
    }

    /// <summary>Lets Telegram say that it is busy, until it is over.</summary>
    public async Task<Planted> TelegramRefusalsAsync()
    {
        await SetAsync("telegram/refusals?count=1000", new { });
        return new(() => SetAsync("telegram/refusals?count=0", new { }));
    }

    /// <summary>Hands no job over to a provider until it is over.</summary>
    public async Task<Planted> HoldProviderAsync(string provider)
    {
        await ExecuteAsync(
            $"insert into provider_states (provider, paused_until) values ('{provider}', 'infinity') on conflict (provider) do update set paused_until = excluded.paused_until"
        );
        return new(() => ExecuteAsync($"update provider_states set paused_until = null where provider = '{provider}'"));
    }

    private async Task SetAsync(string control, object order)
    {
        using var answer = await Control.PostAsJsonAsync("/_control/" + control, order);
        answer.EnsureSuccessStatusCode();
    }
}
