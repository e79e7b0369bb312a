namespace Reelbase.Server.Platform.Work;

/// <summary>How long to wait before trying again.</summary>
public static class Backoff
{
    private const double JitterShare = 0.2;

    /// <summary>Doubles from <paramref name="baseSeconds"/> up to <paramref name="capSeconds"/>, give or take a fifth, so that many who failed together do not come back together.</summary>
    /// <param name="attempt">1 for the first failure.</param>
    /// <param name="baseSeconds">Seconds after the first failure.</param>
    /// <param name="capSeconds">Never longer than this, before the jitter.</param>
    public static double Seconds(int attempt, double baseSeconds, double capSeconds)
    {
        var plain = Math.Min(capSeconds, baseSeconds * Math.Pow(2, Math.Clamp(attempt - 1, 0, 30)));
        return plain * (1 - JitterShare + Random.Shared.NextDouble() * 2 * JitterShare);
    }
}
