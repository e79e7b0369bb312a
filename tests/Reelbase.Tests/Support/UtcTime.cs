namespace Reelbase.Tests.Support;

/// <summary>The server counts and alerts some things once for each UTC hour or day. A test that expects one of them begins when there is room for it before the next: it waits for that one to begin.</summary>
public static class UtcTime
{
    /// <summary>What follows happens within one UTC day.</summary>
    public static Task SameDayAsync() => WithTimeLeftAsync(TimeSpan.FromDays(1));

    /// <summary>What follows happens within one UTC hour.</summary>
    public static Task SameHourAsync() => WithTimeLeftAsync(TimeSpan.FromHours(1));

    private static async Task WithTimeLeftAsync(TimeSpan period)
    {
        var left = period - TimeSpan.FromTicks(DateTime.UtcNow.Ticks % period.Ticks);
        if (left < Patience.Span)
        {
            await Task.Delay(left + TimeSpan.FromSeconds(1));
        }
    }
}
