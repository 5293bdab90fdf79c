using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace LiT.Build
{
    /// <summary>
    /// Sets VER_FLG_WEAK on one entry of an ELF library's .gnu.version_r section, in the build's own copy of it.
    /// Written for the language version that MSBuild's inline task compiler takes.
    /// </summary>
    public class WeakenSymbolVersion : Task
    {
        private const int VersionNeeded = 0x6ffffffe; // SHT_GNU_verneed
        private const ushort Weak = 2; // VER_FLG_WEAK

        [Required]
        public ITaskItem[] Libraries { get; set; }

        [Required]
        public string Version { get; set; }

        public override bool Execute()
        {
            foreach (ITaskItem library in Libraries)
            {
                string path = library.GetMetadata("FullPath");
                if (File.Exists(path))
                    Weaken(path);
            }
            return !Log.HasLoggedErrors;
        }

        private void Weaken(string path)
        {
            byte[] elf = File.ReadAllBytes(path);
            bool is64BitLittleEndian =
                elf.Length > 64
                && elf[0] == 0x7f
                && elf[1] == 'E'
                && elf[2] == 'L'
                && elf[3] == 'F'
                && elf[4] == 2
                && elf[5] == 1;
            if (!is64BitLittleEndian)
            {
                Log.LogWarning("{0} is not a 64-bit little-endian ELF library; it was left as it is.", path);
                return;
            }
            bool changed = false;
            long sections = BitConverter.ToInt64(elf, 0x28);
            int entrySize = BitConverter.ToUInt16(elf, 0x3a),
                count = BitConverter.ToUInt16(elf, 0x3c);
            for (int i = 0; i < count; i++)
            {
                int header = checked((int)(sections + (long)i * entrySize));
                if (BitConverter.ToInt32(elf, header + 4) != VersionNeeded)
                    continue;
                int needed = checked((int)BitConverter.ToInt64(elf, header + 24));
                int link = BitConverter.ToInt32(elf, header + 40);
                int strings = checked(
                    (int)BitConverter.ToInt64(elf, checked((int)(sections + (long)link * entrySize)) + 24)
                );
                for (int file = needed; ; )
                {
                    for (int version = file + BitConverter.ToInt32(elf, file + 8); ; )
                    {
                        int name = strings + BitConverter.ToInt32(elf, version + 8);
                        int end = Array.IndexOf(elf, (byte)0, name);
                        ushort flags = BitConverter.ToUInt16(elf, version + 4);
                        if (Encoding.ASCII.GetString(elf, name, end - name) == Version && (flags & Weak) == 0)
                        {
                            elf[version + 4] = (byte)(flags | Weak);
                            changed = true;
                        }
                        int next = BitConverter.ToInt32(elf, version + 12);
                        if (next == 0)
                            break;
                        version += next;
                    }
                    int nextFile = BitConverter.ToInt32(elf, file + 12);
                    if (nextFile == 0)
                        break;
                    file += nextFile;
                }
            }
            if (!changed)
                return;

            // A new file under the old name: the original may be a hard link into the package folder. Its time stays,
            // so that the next build does not copy it again.
            DateTime written = File.GetLastWriteTimeUtc(path);
            string temporary = path + ".weak";
            File.WriteAllBytes(temporary, elf);
            File.SetLastWriteTimeUtc(temporary, written);
            File.Delete(path);
            File.Move(temporary, path);
            Log.LogMessage(MessageImportance.Normal, "{0}: {1} is now a weak requirement.", path, Version);
        }
    }
}
