namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>So many a second, and ten times as many at once after a rest. For one thread.</summary>
internal struct TokenBucket(int perSecond)
{
    private const int BurstSeconds = 10;

    private double _left = BurstSeconds * perSecond;
    private long _at;

    /// <summary>Takes one, if there is one.</summary>
    public bool Take(TimeProvider clock, int perSecond)
    {
        var now = clock.GetTimestamp();
        _left = _at == 0 ? _left : Math.Min(BurstSeconds * perSecond, _left + (clock.GetElapsedTime(_at, now).TotalSeconds * perSecond));
        _at = now;
        if (_left < 1)
        {
            return false;
        }
        _left--;
        return true;
    }
}
