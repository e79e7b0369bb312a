namespace Reelbase.Tests.Sql;

/// <summary>
/// Who is next, ranked over everybody who waits: of four places three are premium's while both tiers wait; in a tier everybody's first job comes before anybody's second, and whoever was served
/// longest ago, or came first, is next.
/// </summary>
internal sealed class ComputedQueue
{
    private readonly List<Job> _waiting = [];
    private readonly Dictionary<int, int> _pressed = [];
    private int _served;
    private int _presses;

    /// <summary>A user's next job waits; answers its name.</summary>
    public string Press(int user, bool isPremium)
    {
        _pressed[user] = _pressed.GetValueOrDefault(user) + 1;
        var job = new Job($"{(char)((isPremium ? 'A' : 'a') + user)}{_pressed[user]}", user, isPremium, _presses++) { ServedBefore = _served };
        _waiting.Add(job);
        return job.Name;
    }

    /// <summary>The jobs that are handed out when there is room for so many.</summary>
    public List<string> Claim(int room)
    {
        var (premium, standard) = (new Queue<Job>(Rank(true)), new Queue<Job>(Rank(false)));
        var taken = new List<Job>();
        while (taken.Count < room && premium.Count + standard.Count > 0)
        {
            var isForPremium = (_served + taken.Count) % 4 < 3;
            taken.Add((isForPremium && premium.Count > 0) || standard.Count == 0 ? premium.Dequeue() : standard.Dequeue());
        }
        foreach (var job in taken)
        {
            _served++;
            _waiting.Remove(job);
            foreach (var other in _waiting.Where(other => other.User == job.User))
            {
                other.ServedBefore = _served;
            }
        }
        return [.. taken.Select(job => job.Name)];
    }

    private IEnumerable<Job> Rank(bool isPremium) =>
        _waiting
            .Where(job => job.IsPremium == isPremium)
            .GroupBy(job => job.User)
            .SelectMany(user =>
                user.OrderBy(job => job.Number)
                    .Select((job, round) => (job, round, place: user.Min(one => one.ServedBefore), first: user.Min(one => one.Number)))
            )
            .OrderBy(ranked => ranked.round)
            .ThenBy(ranked => ranked.place)
            .ThenBy(ranked => ranked.first)
            .Select(ranked => ranked.job);

    private sealed record Job(string Name, int User, bool IsPremium, int Number)
    {
        public int ServedBefore { get; set; }
    }
}
