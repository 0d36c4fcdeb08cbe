/**
 * Takes of the wheel the two libraries with their notices and the headers, and of both archives of npm everything. Python, since pip
 * has to be there anyway and Node reads neither kind of archive. Arguments: wheel, folder of the engine, folder to build in, archives.
 */
export const UNPACK_SCRIPT = `
import os, shutil, sys, tarfile, zipfile
wheel, engine, build, *archives = sys.argv[1:]
LIBRARIES = ('libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'THIRD_PARTY_NOTICES.txt', 'include/LICENSE')
HEADERS = ('tensorflow/c/', 'tensorflow/core/platform/', 'tsl/', 'xla/tsl/')
with zipfile.ZipFile(wheel) as files:
    for name in files.namelist():
        inner = name.partition('/')[2]
        if inner in LIBRARIES:
            with files.open(name) as source, open(os.path.join(engine, os.path.basename(name)), 'wb') as target:
                shutil.copyfileobj(source, target, 1 << 20)
        elif inner.startswith('include/') and inner[8:].startswith(HEADERS) and name.endswith('.h'):
            files.extract(name, build)
for index, archive in enumerate(archives):
    with tarfile.open(archive) as files:
        for member in files.getmembers():
            if member.isfile() and member.name.endswith(('.h', '.cc')) and '..' not in member.name:
                files.extract(member, os.path.join(build, str(index)))
`;
